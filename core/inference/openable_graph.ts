import {
  type AdapterDelta,
  type NetworkOptions,
  partGraph,
  type WeightDeltas,
} from "../architecture/mod.ts";
import {
  type GraphFiles,
  type ModelFiles,
  type NetworkFiles,
  networkPrecision,
  readJson,
  readsMask,
} from "../model/mod.ts";
import type { Runtime } from "./runtime.ts";
import { writtenGraph } from "./written_graph.ts";

/** What {@link Runtime.open} takes. */
export interface OpenableGraph {
  readonly files: ModelFiles;
  readonly graph: GraphFiles;
}

/**
 * One network of a model as a runtime opens it: an ONNX file as it is, or a graph that is written from
 * the network's configuration and refers to its weights.
 * @param part `unet`, `vae_decoder`, `text_encoder`, ...
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export async function openableGraph(
  runtime: Pick<Runtime, "byPath" | "gpu">,
  files: ModelFiles,
  part: string,
  network: NetworkFiles,
  options: GraphOptions = {},
): Promise<OpenableGraph> {
  const half = runtime.gpu?.device.features.has("shader-f16") ?? false;
  return await graphFor({ byPath: runtime.byPath, half }, files, part, network, options);
}

/** How a graph that is written is written otherwise. */
type GraphOptions = Pick<NetworkOptions, "residuals">;

/** What of a host decides how a graph is written. */
interface GraphHost extends Pick<Runtime, "byPath"> {
  /** It computes in float16 where the weights are. */
  readonly half: boolean;
}

/** As {@link openableGraph}, for a host that need not be there. */
export async function graphFor(
  { byPath, half }: GraphHost,
  files: ModelFiles,
  part: string,
  network: NetworkFiles,
  options: GraphOptions = {},
): Promise<OpenableGraph> {
  if ("graph" in network) return { files, graph: network };
  const json = await readJson(files, network.config);
  const stored = await networkPrecision(files, network);
  const type = half && stored === "float16" && !overflows(part, json) ? "float16" : "float32";
  const splits = part === "unet" && await readsMask(files);
  const graph = partGraph(graphOf(part), json, network.tensors, {
    splits,
    asUnet: part === "transformer",
    type,
    deltas: deltasOf(files, part),
    ...options,
  });
  // By its path a checkpoint is mapped into memory, and onnxruntime widens what it needs.
  const widen = type === "float32" && !byPath;
  return writtenGraph(files, network.weights, graph, { byPath, widen });
}

/** Inside the graph's file and outside: at least what memory the weights take. */
export function weightBytes(openable: OpenableGraph): number {
  const { files, graph } = openable;
  return externalSizes(openable).reduce((sum, { size }) => sum + size, files.size(graph.graph));
}

export function externalSizes({ files, graph: { external } }: OpenableGraph) {
  return external.map(({ path }) => ({ path, size: files.size(path) }));
}

/** What the model's adapters change of a part. */
function deltasOf({ adapters = [] }: ModelFiles, part: string): WeightDeltas {
  const deltas = new Map<string, AdapterDelta[]>();
  for (const [adapter, { deltas: parts }] of adapters.entries()) {
    for (const [weight, delta] of Object.entries(parts[part] ?? {})) {
      deltas.set(weight, [...deltas.get(weight) ?? [], { ...delta, adapter }]);
    }
  }
  return deltas;
}

/** VAEs whose activations leave float16, as their configuration says by default. */
function overflows(part: string, json: unknown): boolean {
  return part.startsWith("vae") && Object(json).force_upcast !== false;
}

/** Which graph of its class a part is. */
function graphOf(part: string): string {
  if (part.startsWith("text_encoder")) return "text";
  if (part.startsWith("controlnet")) return "controlnet";
  return part.replace(/^vae_/, "");
}
