import { AppError } from "../error.ts";
import type { SafetensorsIndex } from "../safetensors/mod.ts";
import { type LdmGroups, ldmGroups } from "./ldm_groups.ts";
import { partsOf } from "./ldm_parts.ts";
import { type LdmUnet, readLdmUnet } from "./ldm_unet.ts";
import { refuseOtherKind } from "./other_kinds.ts";
import type { CheckpointPart, Refuse } from "./part.ts";
import { type Family, FAMILY_NAMES, modelIndexOf, PARTS, TOKENIZERS } from "./published.ts";
import { type Prediction, readSampling, type Sampling, schedulerConfig } from "./sampling.ts";

type Config = Readonly<Record<string, unknown>>;

/** What a folder of diffusers would say of the same model, and where its weights lie in the file. */
export interface SingleFileModel {
  readonly family: Family;
  /** Its UNet reads a mask and a masked image as well: 9 channels. */
  readonly inpainting: boolean;
  /** `model_index.json`. */
  readonly modelIndex: Config;
  /** `unet`, `vae`, `text_encoder` and, of SDXL, `text_encoder_2`, but those from elsewhere. */
  readonly parts: Readonly<Record<string, CheckpointPart>>;
  /** `scheduler_config.json`. */
  readonly scheduler: Config;
  /** `tokenizer_config.json` of `tokenizer` and `tokenizer_2`, whose vocabulary is CLIP's. */
  readonly tokenizers: Readonly<Record<string, Config>>;
  /** Sentences for the user: what the file does not say, and what was taken instead. */
  readonly notices: readonly string[];
}

export interface SingleFileOptions {
  /**
   * `config.json` of parts, and of `scheduler`, to be taken instead of what follows from the file:
   * heads, groups and eps are in no file, and are those of the published models otherwise.
   */
  readonly configs?: Readonly<Record<string, Config>>;
  /** Parts that the file need not have. */
  readonly elsewhere?: readonly string[];
  /** What the network predicts, whatever the file says. */
  readonly prediction?: Prediction;
  /** What an SD 2 network seems to predict, taken where nothing says it. */
  readonly likelyPrediction?: Prediction;
}

/**
 * The model that a single-file checkpoint holds, told by names, shapes and notes. SD 1.x, 2.x and SDXL,
 * and their inpainting networks.
 * @param name of the file, for messages.
 * @throws AppError `model_invalid` that says what the file is instead, or what it lacks.
 */
export function singleFileModel(
  { tensors, metadata }: SafetensorsIndex,
  name: string,
  options: SingleFileOptions = {},
): SingleFileModel {
  const { configs = {} } = options;
  const refuse = refuser(name);
  const groups = ldmGroups(tensors, refuse) ?? refuseOtherKind(tensors, refuse);
  const unet = readLdmUnet(groups.unet, refuse);
  const family = familyOf(unet, groups, refuse);
  const inpainting = readsMask(unet, refuse);
  const stated = readSampling(tensors, metadata, refuse);
  const sampling = { ...stated, ...predictionOf({ family, inpainting }, stated, options) };
  const scheduler = schedulerConfig(sampling, configs.scheduler);
  const parts = partsOf({ family, unet, groups, configs, refuse }, scheduler);
  requireParts(family, parts, options, refuse);
  checkWidths(unet, parts, family, refuse);
  return {
    ...{ family, inpainting, parts, scheduler },
    modelIndex: modelIndexOf(family, inpainting, scheduler),
    tokenizers: TOKENIZERS[family],
    notices: noticesOf(name, sampling, groups, scheduler),
  };
}

interface Predicted {
  readonly prediction?: Prediction;
  /** Nobody said it. */
  readonly assumed: boolean;
}

/** SD 2 alone was published both ways; its inpainting network predicts the noise. */
function predictionOf(
  { family, inpainting }: Pick<SingleFileModel, "family" | "inpainting">,
  stated: Sampling,
  { prediction: given, likelyPrediction = "v_prediction", configs }: SingleFileOptions,
): Predicted {
  const prediction = given ?? stated.prediction;
  if (prediction || configs?.scheduler || family !== "sd2") return { prediction, assumed: false };
  return { prediction: inpainting ? "epsilon" : likelyPrediction, assumed: !inpainting };
}

function noticesOf(
  name: string,
  { prediction, assumed, zeroTerminalSnr }: Sampling & Predicted,
  { loraTensors }: LdmGroups,
  scheduler: Config,
): string[] {
  const notices: string[] = [];
  if (assumed) {
    notices.push(`${name} does not say what its network predicts: ${prediction} was taken`);
  }
  if (zeroTerminalSnr && scheduler.prediction_type !== "v_prediction") {
    notices.push(
      `${name} is marked for zero terminal SNR, but predicts no v: the mark is not used`,
    );
  }
  if (loraTensors > 0) {
    notices.push(`${name} has ${loraTensors} tensors of a LoRA beside the model: not used`);
  }
  return notices;
}

/** @param what the file was given as. */
export function refuser(name: string, what: "model" | "VAE" = "model"): Refuse {
  return (why) => {
    throw new AppError("model_invalid", `Cannot use the ${what} ${name}: ${why}`);
  };
}

function familyOf(unet: LdmUnet, { unet: tensors, openClipFirst }: LdmGroups, refuse: Refuse) {
  const width = unet.cross_attention_dim;
  if (tensors.has("label_emb.weight")) refuse("it enlarges images (x4), which is not supported");
  if (unet.projection_class_embeddings_input_dim === null) {
    return unet.use_linear_projection ? "sd2" : "sd1";
  }
  if (openClipFirst || width === 1280) refuse("it is an SDXL refiner, which begins no image");
  if (width === 1024) refuse("it is SD 2.1 unCLIP, which draws from an image's embedding");
  return "sdxl";
}

/** Why a UNet reads more channels than a latent has. */
const MORE_CHANNELS: Readonly<Record<number, string>> = {
  5: "reads the depth of an image",
  7: "enlarges images",
  8: "edits images by instruction",
};

function readsMask({ in_channels: channels }: LdmUnet, refuse: Refuse): boolean {
  if (channels === 4 || channels === 9) return channels === 9;
  const what = MORE_CHANNELS[channels] ?? "is of an unknown kind";
  return refuse(`its UNet has ${channels} input channels and ${what}, which is not supported`);
}

function requireParts(
  family: Family,
  parts: SingleFileModel["parts"],
  { elsewhere = [] }: SingleFileOptions,
  refuse: Refuse,
): void {
  const missing = PARTS[family].filter((part) => !(part in parts) && !elsewhere.includes(part));
  if (missing.length === 0) return;
  const what = Object.keys(parts).length === 1
    ? `it holds only the UNet of ${FAMILY_NAMES[family]}, without`
    : `it is ${FAMILY_NAMES[family]} without`;
  refuse(`${what} ${missing.join(", ")}. Give these apart, or take the whole checkpoint`);
}

/** A UNet reads what its text encoders give, side by side. */
function checkWidths(
  { cross_attention_dim: reads }: LdmUnet,
  parts: SingleFileModel["parts"],
  family: Family,
  refuse: Refuse,
): void {
  const encoders = PARTS[family].filter((part) => part.startsWith("text_encoder"));
  if (encoders.some((part) => !(part in parts))) return;
  const widths = encoders.map((part) => Number(parts[part].config.hidden_size));
  if (widths.reduce((sum, width) => sum + width, 0) === reads) return;
  refuse(`its UNet reads ${reads} numbers a token, its text encoders give ${widths.join(" + ")}`);
}
