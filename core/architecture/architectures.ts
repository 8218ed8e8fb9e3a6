import type { OnnxGraph } from "../onnx/mod.ts";
import type { IndexedTensor, TensorIndex } from "../safetensors/mod.ts";
import { AppError } from "../error.ts";
import { autoencoderKLDecoder, autoencoderKLEncoder } from "./autoencoder_kl.ts";
import { clipTextModel, clipTextModelWithProjection } from "./clip_text_model.ts";
import { clipVisionModelWithProjection } from "./clip_vision_model.ts";
import { controlNetModel } from "./controlnet_model.ts";
import { ExpectedTensors } from "./expected_tensors.ts";
import { fluxTransformer2dModel } from "./flux_transformer_2d_model.ts";
import type { NetworkOptions } from "./network.ts";
import { residualDenseNetwork } from "./residual_dense_network.ts";
import { rrdbNet } from "./rrdb_net.ts";
import { sd3Transformer2dModel } from "./sd3_transformer_2d_model.ts";
import { srvggNetCompact } from "./srvgg_net_compact.ts";
import { t5EncoderModel } from "./t5_encoder_model.ts";
import { unet2dConditionModel } from "./unet_2d_condition_model.ts";

/** From a part's `config.json` and its tensors to a graph. T5 computes in float32 always. */
type Architecture = (config: unknown, tensors: TensorIndex, options?: NetworkOptions) => OnnxGraph;

/** By class, as diffusers and transformers name it; the graphs of a part by what they are for. */
const ARCHITECTURES = {
  UNet2DConditionModel: { unet: unet2dConditionModel },
  ControlNetModel: { controlnet: controlNetModel },
  AutoencoderKL: { encoder: autoencoderKLEncoder, decoder: autoencoderKLDecoder },
  CLIPTextModel: { text: clipTextModel },
  CLIPTextModelWithProjection: { text: clipTextModelWithProjection },
  CLIPVisionModelWithProjection: { image: clipVisionModelWithProjection },
  T5EncoderModel: { text: t5EncoderModel },
  SD3Transformer2DModel: { transformer: sd3Transformer2dModel },
  FluxTransformer2DModel: { transformer: fluxTransformer2dModel },
  RRDBNet: { upscaler: rrdbNet },
  SRVGGNetCompact: { upscaler: srvggNetCompact },
  ResidualDenseNetwork: { upscaler: residualDenseNetwork },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Architecture>>>>;

export type ArchitectureName = keyof typeof ARCHITECTURES;

/**
 * Which class a part is of: `_class_name` of diffusers, `architectures` of transformers.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming one that is not built.
 */
export function architectureOf(json: unknown): ArchitectureName {
  const { _class_name: own, architectures } = Object(json);
  const name: unknown = own ?? Object(architectures)[0];
  const known = Object.keys(ARCHITECTURES) as ArchitectureName[];
  const found = known.find((each) => each === name);
  if (found) return found;
  throw new AppError(
    "model_invalid",
    `Cannot build a network: its class is ${String(name).slice(0, 80)}, not ${known.join(", ")}`,
  );
}

/**
 * What tensors a part has by its configuration alone: names as they are published today, and shapes.
 * @throws AppError `model_invalid` naming a field that does not fit.
 */
export function expectedTensors(
  json: unknown,
): ReadonlyMap<string, Pick<IndexedTensor, "name" | "shape">> {
  const expected = new ExpectedTensors();
  partGraphs(architectureOf(json), json, expected);
  return expected;
}

/**
 * One graph of a part, as {@link partGraphs}.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit, or the part's class when
 *   that has no such graph.
 */
export function partGraph(
  graph: string,
  json: unknown,
  tensors: TensorIndex,
  options: NetworkOptions,
): OnnxGraph {
  const name = architectureOf(json);
  const builders: Readonly<Record<string, Architecture>> = ARCHITECTURES[name];
  if (graph in builders) return builders[graph](json, tensors, options);
  throw new AppError("model_invalid", `Cannot build a ${graph}: its class is ${name}`);
}

/**
 * The graphs of a part: `unet`, `controlnet`, `encoder` and `decoder`, `text`, `image`, `transformer`, or `upscaler`.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function partGraphs(
  name: ArchitectureName,
  json: unknown,
  tensors: TensorIndex,
  options: NetworkOptions = {},
): Readonly<Record<string, OnnxGraph>> {
  const builders: Readonly<Record<string, Architecture>> = ARCHITECTURES[name];
  return Object.fromEntries(
    Object.entries(builders).map(([graph, build]) => [graph, build(json, tensors, options)]),
  );
}
