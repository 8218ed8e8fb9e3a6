import { counted } from "../counted.ts";
import { AppError } from "../error.ts";
import type { Graph } from "./graph.ts";
import {
  type ModelConfig,
  type ModelFiles,
  type ModelLayout,
  type NetworkFiles,
  readLayout,
  readModelConfig,
  readsMask,
  type TransformerFamily,
} from "../model/mod.ts";
import { controlledBy, type ControlledUnet, takesResiduals } from "./controlled_unet.ts";
import { externalSizes, type OpenableGraph, openableGraph, weightBytes } from "./openable_graph.ts";
import { once } from "./once.ts";
import type { Runtime } from "./runtime.ts";
import { T5TextEncoder } from "./t5_text_encoder.ts";
import { ClipTextEncoder, type TextLayers } from "./text_encoder.ts";
import { Unet } from "./unet.ts";
import { VaeDecoder } from "./vae_decoder.ts";
import { VaeEncoder } from "./vae_encoder.ts";

export type ModelFamily = "sd1" | "sd2" | "sdxl" | TransformerFamily;

/** A loaded model: its parts, ready to run. Disposing it releases their sessions. */
export interface Model extends AsyncDisposable {
  readonly files: ModelFiles;
  readonly runtime: Runtime;
  readonly config: ModelConfig;
  readonly family: ModelFamily;
  /** One, or the two of SDXL and SD 3. */
  readonly textEncoders: readonly ClipTextEncoder[];
  /** Of FLUX, and of SD 3 where the folder has it. */
  readonly t5: T5TextEncoder | undefined;
  /** A UNet, or a transformer in its place. */
  readonly unet: Unet;
  readonly vaeDecoder: VaeDecoder;
  /**
   * Opened when it is first asked for, since only images that go in need it.
   * @throws AppError `model_invalid` for a model without one.
   */
  readonly vaeEncoder: () => Promise<VaeEncoder>;
  /**
   * ControlNets, and the UNet that they add to; opened when they are first asked for.
   * @param networks as requests name them.
   * @throws AppError `invalid_request` for one that the model was not opened with, `model_invalid`.
   */
  readonly controlled: (networks: readonly string[]) => Promise<ControlledUnet>;
}

export interface LoadOptions {
  /** Called before each part is loaded. */
  readonly onPart?: (part: string) => void;
}

/**
 * Loads every part that an image needs. All files are looked for before the first is read.
 * @throws AppError `model_invalid` naming the file that is missing, damaged or of a wrong kind,
 * `host_unavailable` when the runtime's device is too small for the model.
 */
export async function loadModel(
  files: ModelFiles,
  runtime: Runtime,
  { onPart = () => {} }: LoadOptions = {},
): Promise<Model> {
  const [layout, config] = await Promise.all([readLayout(files), readModelConfig(files)]);
  await refuseGraphWithMask(files, layout);
  const graphs: Graph[] = [];
  const release = async () => {
    for (const { session } of graphs) await session.release();
  };
  const open = async (part: string, from: OpenableGraph): Promise<Graph> => {
    onPart(part);
    const session = await runtime.open(from.files, from.graph);
    const graph = { path: from.graph.graph, session };
    graphs.push(graph);
    return graph;
  };
  const wanted = wantedNetworks(files, layout, config);
  const openable: (OpenableGraph & { readonly part: string })[] = [];
  for (const [part, network] of wanted) {
    const residuals = part === "unet" && takesResiduals(files, network);
    openable.push({ part, ...await openableGraph(runtime, files, part, network, { residuals }) });
  }
  let loaded = checkWeights(runtime, openable);
  // The VAE's encoder and ControlNets come on top, where requests ask for them.
  const openLater = async (part: string, from: OpenableGraph): Promise<Graph> => {
    // Counted before: another may be opened meanwhile.
    loaded = checkWeights(runtime, [from], loaded);
    try {
      return await open(part, from);
    } catch (error) {
      loaded -= weightBytes(from);
      throw error;
    }
  };
  try {
    for (const { part, ...from } of openable) await open(part, from);
    const model = assemble(files, config, graphs);
    const vaeEncoder = once(async () => {
      const include = ["vae_encoder"];
      const withEncoder = await readLayout(files, { variant: files.variant, include });
      const [[part, network]] = networksOf(files, withEncoder, include);
      const from = await openableGraph(runtime, files, part, network);
      return new VaeEncoder(await openLater(part, from), config.vae);
    });
    const controlled = controlledBy({ files, runtime, own: model.unet, open: openLater });
    const owned = { [Symbol.asyncDispose]: release };
    return { files, runtime, config, ...model, vaeEncoder, controlled, ...owned };
  } catch (error) {
    await release();
    throw error;
  }
}

/** An exported graph takes all channels as one input, which a device would have to put together. */
async function refuseGraphWithMask(files: ModelFiles, { denoiser }: ModelLayout): Promise<void> {
  if (!denoiser || !("graph" in denoiser) || !await readsMask(files)) return;
  throw new AppError(
    "model_invalid",
    `Cannot use the model ${files.name}: its UNet, an ONNX file, reads a mask. Take the model in ` +
      "safetensors",
  );
}

/** What draws an image, text encoders first and the VAE last; a second encoder is SDXL's. */
function wantedNetworks(
  files: ModelFiles,
  layout: ModelLayout,
  { index: { transformer } }: ModelConfig,
): [string, NetworkFiles][] {
  const further = ["text_encoder_2", "text_encoder_3"].filter((part) => layout.networks[part]);
  if (transformer && further[0] !== "text_encoder_2") further.unshift("text_encoder_2");
  const denoiser = transformer ? "transformer" : "unet";
  return networksOf(files, layout, ["text_encoder", ...further, denoiser, "vae_decoder"]);
}

function networksOf(
  files: ModelFiles,
  { networks }: ModelLayout,
  parts: readonly string[],
): [string, NetworkFiles][] {
  return parts.map((part) => {
    if (networks[part]) return [part, networks[part]];
    throw new AppError("model_invalid", `Cannot use the model ${files.name}: it has no ${part}`);
  });
}

/**
 * Each weight is one buffer on a GPU, and each file of them must be one that can be addressed.
 * @param loaded bytes of what is loaded already. @returns the same with these.
 */
function checkWeights(
  { gpu, name, maxFileBytes = Infinity, maxWeightBytes = Infinity }: Runtime,
  graphs: readonly OpenableGraph[],
  loaded = 0,
): number {
  const [{ files }] = graphs;
  const tooLarge = (what: string, bytes: number, limit: string) => {
    const why = `Cannot load ${what}: that is ${
      counted(bytes, "byte")
    }, and ${name} takes ${limit}`;
    return new AppError("host_unavailable", `${why}. ${TOO_LARGE_REMEDY}`, { field: "compute" });
  };
  for (const { path, size } of graphs.flatMap(externalSizes)) {
    if (size <= maxFileBytes) continue;
    throw tooLarge(`${path} of ${files.name}`, size, `files of up to ${maxFileBytes}`);
  }
  const all = graphs.reduce((sum, graph) => sum + weightBytes(graph), loaded);
  if (all > maxWeightBytes) {
    throw tooLarge(`the weights of ${files.name}`, all, `up to ${maxWeightBytes} of a model`);
  }
  gpu?.require({
    work: files.name,
    limits: { maxBufferSize: Math.max(...graphs.map(({ graph }) => graph.largestTensor)) },
    advice: "Use a smaller model, or compute on the CPU",
  });
  return all;
}

/** Only what is built for browsers has such limits. */
const TOO_LARGE_REMEDY =
  "Use a variant with float16 weights if the model has one, or compute outside of a browser";

function assemble(files: ModelFiles, config: ModelConfig, graphs: readonly Graph[]) {
  const [denoiserGraph, vaeGraph] = graphs.slice(-2);
  const encoderGraphs = graphs.slice(0, -2);
  const { transformer } = config.index;
  const unet = new Unet(denoiserGraph, transformer);
  const family = transformer ?? unetFamily(config, unet, encoderGraphs.length === 2);
  const clips = CLIP_LAYERS[family];
  const [t5, more] = encoderGraphs.slice(clips.length);
  if (more || (t5 && !transformer)) {
    const why = `it has ${encoderGraphs.length} text encoders, which no model of its family reads`;
    throw new AppError("model_invalid", `Cannot use the model ${files.name}: ${why}`);
  }
  return {
    family,
    textEncoders: clips.map((layers, i) => new ClipTextEncoder(encoderGraphs[i], layers)),
    t5: t5 && new T5TextEncoder(t5),
    unet,
    vaeDecoder: new VaeDecoder(vaeGraph, config.vae),
  };
}

/** What of each CLIP encoder a family reads; the encoder after them is T5. */
const CLIP_LAYERS: Readonly<Record<ModelFamily, readonly TextLayers[]>> = {
  sd1: [{ hidden: "last" }],
  sd2: [{ hidden: "last" }],
  sdxl: [{ hidden: "penultimate" }, { hidden: "penultimate", pooled: "text_embeds" }],
  sd3: [
    { hidden: "penultimate", pooled: "text_embeds" },
    { hidden: "penultimate", pooled: "text_embeds" },
  ],
  flux: [{ hidden: "last", pooled: "pooler_output" }],
};

/** SD 1.x reads OpenAI's CLIP (quick_gelu), SD 2.x OpenCLIP (gelu); both take one encoder. */
function unetFamily({ textEncoder }: ModelConfig, unet: Unet, sdxl: boolean): ModelFamily {
  if (unet.takesSizes !== sdxl) throw mixedFamilies(unet.path, unet.takesSizes);
  if (sdxl) return "sdxl";
  return textEncoder.hidden_act === "quick_gelu" ? "sd1" : "sd2";
}

function mixedFamilies(path: string, takesSizes: boolean): AppError {
  return new AppError(
    "model_invalid",
    takesSizes
      ? `Cannot use ${path}: it is an SDXL UNet, and the folder has no text_encoder_2`
      : `Cannot use ${path}: it is not an SDXL UNet, and the folder has a text_encoder_2`,
  );
}
