import { AppError } from "../../core/error.ts";
import { architectureOf, type ComputeType, partGraphs } from "../../core/architecture/mod.ts";
import {
  floats,
  type Runtime,
  type Session,
  type Tensor,
  tensorFor,
  writtenGraph,
} from "../../core/inference/mod.ts";
import { type ModelFiles, readJson } from "../../core/model/mod.ts";
import { readTensorIndex, type TensorIndex } from "../../core/safetensors/mod.ts";
import { derivedOutputs } from "./derived_outputs.ts";
import { openPartFolder, weightsPath } from "./part_folder.ts";
import type { Recorded, RecordedCall } from "./recorded_calls.ts";

/** A part whose graphs are written by `core/architecture`, loaded. */
export interface Part extends AsyncDisposable {
  /** All that its graphs compute of a call's inputs, by the names of recorded calls. */
  run(inputs: ReadonlyMap<string, Recorded>): Promise<ReadonlyMap<string, Recorded>>;
}

/** Inputs and outputs whose names in recorded calls are not the graph's, by graph. */
const INPUT_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  controlnet: { conditioning_scales: "conditioning_scale" },
  encoder: { sample: "image" },
  decoder: { latent_sample: "latent" },
};
const OUTPUT_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  unet: { out_sample: "sample" },
  transformer: { out_sample: "sample" },
  decoder: { sample: "image" },
};

/**
 * @param folder with `config.json` and the weights of one part.
 * @param type that it computes in.
 */
export async function openPart(
  folder: string,
  runtime: Runtime,
  type: ComputeType = "float32",
): Promise<Part> {
  const files = await openPartFolder(folder);
  const config = await readJson(files, "config.json");
  const tensors = await readTensorIndex(files, weightsPath(files));
  return await openNetwork(files, { config, tensors }, runtime, type);
}

/** @param files that the tensors lie in. @param config `config.json` of the part. */
export async function openNetwork(
  files: ModelFiles,
  { config, tensors }: { readonly config: unknown; readonly tensors: TensorIndex },
  runtime: Runtime,
  type: ComputeType = "float32",
): Promise<Part> {
  const sessions = new Map<string, Session>();
  const name = architectureOf(config);
  const reading = { byPath: runtime.byPath, widen: type === "float32" && !runtime.byPath };
  for (const [graph, written] of Object.entries(partGraphs(name, config, tensors, { type }))) {
    const opened = writtenGraph(files, `${name}.${graph}.onnx`, written, reading);
    sessions.set(graph, await runtime.open(opened.files, opened.graph));
  }
  return {
    run: async (inputs) => derivedOutputs(config, await runGraphs(sessions, inputs)),
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions.values()) await session.release();
    },
  };
}

async function runGraphs(
  sessions: ReadonlyMap<string, Session>,
  inputs: ReadonlyMap<string, Recorded>,
): Promise<Map<string, Recorded>> {
  const outputs = new Map<string, Recorded>();
  const used = new Set<string>();
  for (const [graph, session] of sessions) {
    const feeds = feedsOf(graph, session, inputs, used);
    const results = await session.run(feeds, session.outputs.map(({ name }) => name));
    for (const [name, tensor] of Object.entries(results)) {
      const { dims } = tensor;
      outputs.set(OUTPUT_NAMES[graph]?.[name] ?? name, { dims, values: floats(tensor) });
    }
  }
  const unused = [...inputs.keys()].find((name) => !used.has(name));
  if (unused) throw new AppError("model_invalid", `Cannot run a part: it takes no ${unused}`);
  return outputs;
}

function feedsOf(
  graph: string,
  session: Session,
  inputs: ReadonlyMap<string, Recorded>,
  used: Set<string>,
): Record<string, Tensor> {
  return Object.fromEntries(session.inputs.map((spec) => {
    const name = INPUT_NAMES[graph]?.[spec.name] ?? spec.name;
    const input = inputs.get(name) ?? defaultInput(name, inputs);
    if (!input) throw new AppError("model_invalid", `Cannot run a part: ${name} is missing`);
    used.add(name);
    return [spec.name, tensorOf(spec, input)];
  }));
}

/** Where no mask was given every token is seen. */
function defaultInput(name: string, inputs: ReadonlyMap<string, Recorded>): Recorded | undefined {
  const ids = inputs.get("input_ids");
  if (name !== "attention_mask" || !ids) return undefined;
  return { dims: ids.dims, values: new Float32Array(ids.values.length).fill(1) };
}

/** A recorded number without a shape fills what the graph takes. */
function tensorOf(spec: Session["inputs"][number], { dims, values }: Recorded): Tensor {
  if (dims.length > 0) return tensorFor(spec, values, dims);
  const filled = spec.dims.map((dim) => typeof dim === "number" ? dim : 1);
  const length = filled.reduce((product, dim) => product * dim, 1);
  return tensorFor(spec, new Float32Array(length).fill(values[0]), filled);
}

/**
 * How far a part's outputs are from a recorded call's: the largest difference over the largest
 * magnitude of the expected tensor, of the output where that is largest.
 * @throws AppError `model_invalid` when an output is not computed; `shape_mismatch`.
 */
export function largestDifference(
  call: RecordedCall,
  outputs: ReadonlyMap<string, Recorded>,
): { readonly relative: number; readonly output: string } {
  const differences = [...call.outputs].map(([output, expected]) => {
    const actual = outputs.get(output);
    if (!actual) {
      throw new AppError("model_invalid", `Cannot compare ${output}: it is not computed`);
    }
    return { output, relative: relativeDifference(output, actual, expected) };
  });
  // NaN, of a part that computes nonsense, is the worst of all.
  return differences.toSorted((a, b) => rank(b.relative) - rank(a.relative))[0] ??
    { output: "", relative: 0 };
}

function rank(relative: number): number {
  return Number.isNaN(relative) ? Infinity : relative;
}

function relativeDifference(name: string, actual: Recorded, expected: Recorded): number {
  if (String(actual.dims) !== String(expected.dims)) {
    throw new AppError(
      "shape_mismatch",
      `Cannot compare ${name}: it is [${actual.dims}], not [${expected.dims}]`,
    );
  }
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.values.length; i++) {
    difference = Math.max(difference, Math.abs(actual.values[i] - expected.values[i]));
    magnitude = Math.max(magnitude, Math.abs(expected.values[i]));
  }
  return difference === 0 ? 0 : difference / magnitude;
}
