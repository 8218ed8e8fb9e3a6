import type { ClipText } from "./clip_text.ts";
import type { LdmUnet } from "./ldm_unet.ts";
import type { Prediction } from "./sampling.ts";
import type { VaeShape } from "./vae.ts";

/** What a file does not say and every published model of a family has. */

export type Family = "sd1" | "sd2" | "sdxl";

/** Its name for people. */
export const FAMILY_NAMES: Readonly<Record<Family, string>> = {
  sd1: "Stable Diffusion 1.x",
  sd2: "Stable Diffusion 2.x",
  sdxl: "SDXL",
};

type Config = Readonly<Record<string, unknown>>;

/** Channels of an attention head, of SD 2 and SDXL and of their text encoders. */
const HEAD_WIDTH = 64;
/** SDXL's original size, crop and target size, each height and width. */
const TIME_IDS = 6;
const TIME_ID_WIDTH = 256;

/** @param pooled width of the pooled text, where it is known. */
export function unetConfig(
  family: Family,
  unet: LdmUnet,
  prediction: Prediction,
  pooled?: number,
): Config {
  const { projection_class_embeddings_input_dim: added } = unet;
  const large = family === "sd2" && prediction === "v_prediction";
  return {
    _class_name: "UNet2DConditionModel",
    ...unet,
    addition_embed_type: added === null ? null : "text_time",
    addition_time_embed_dim: added === null ? null : timeIdWidth(added, pooled),
    attention_head_dim: family === "sd1"
      ? 8
      : unet.block_out_channels.map((channels) => channels / HEAD_WIDTH),
    norm_num_groups: 32,
    sample_size: family === "sdxl" ? 128 : large ? 96 : 64,
  };
}

function timeIdWidth(added: number, pooled: number | undefined): number {
  return pooled === undefined ? TIME_ID_WIDTH : (added - pooled) / TIME_IDS;
}

export function vaeConfig(family: Family, vae: VaeShape): Config {
  return {
    _class_name: "AutoencoderKL",
    ...vae,
    // In float16 SDXL's VAE overflows.
    force_upcast: family === "sdxl",
    norm_num_groups: 32,
    scaling_factor: family === "sdxl" ? 0.13025 : 0.18215,
  };
}

/** @param projection whether what it pools is projected, as SDXL takes it. */
export function textConfig(
  text: ClipText,
  act: "quick_gelu" | "gelu",
  projection: boolean,
): Config {
  return {
    architectures: [projection ? "CLIPTextModelWithProjection" : "CLIPTextModel"],
    ...text,
    // As published: the end token is then the highest id.
    eos_token_id: 2,
    hidden_act: act,
    model_type: "clip_text_model",
    num_attention_heads: text.hidden_size / HEAD_WIDTH,
  };
}

/** `tokenizer_config.json`; the vocabulary is CLIP's. @param pad that fills up a prompt. */
function tokenizerConfig(pad: "<|endoftext|>" | "!"): Config {
  return {
    bos_token: "<|startoftext|>",
    eos_token: "<|endoftext|>",
    model_max_length: 77,
    pad_token: pad,
    tokenizer_class: "CLIPTokenizer",
    unk_token: "<|endoftext|>",
  };
}

/** The networks of a family. */
export const PARTS: Readonly<Record<Family, readonly string[]>> = {
  sd1: ["text_encoder", "unet", "vae"],
  sd2: ["text_encoder", "unet", "vae"],
  sdxl: ["text_encoder", "text_encoder_2", "unet", "vae"],
};

/** `tokenizer_config.json`, by part. */
export const TOKENIZERS: Readonly<Record<Family, Readonly<Record<string, Config>>>> = {
  sd1: { tokenizer: tokenizerConfig("<|endoftext|>") },
  // As open_clip pads.
  sd2: { tokenizer: tokenizerConfig("!") },
  sdxl: { tokenizer: tokenizerConfig("<|endoftext|>"), tokenizer_2: tokenizerConfig("!") },
};

/** `model_index.json`. */
export function modelIndexOf(family: Family, inpainting: boolean, scheduler: Config): Config {
  const name = `StableDiffusion${family === "sdxl" ? "XL" : ""}${inpainting ? "Inpaint" : ""}`;
  const tokenizer = ["transformers", "CLIPTokenizer"];
  return {
    _class_name: `${name}Pipeline`,
    scheduler: ["diffusers", scheduler._class_name],
    text_encoder: ["transformers", "CLIPTextModel"],
    ...family === "sdxl" ? { text_encoder_2: ["transformers", "CLIPTextModelWithProjection"] } : {},
    tokenizer,
    ...family === "sdxl" ? { tokenizer_2: tokenizer, force_zeros_for_empty_prompt: true } : {},
    unet: ["diffusers", "UNet2DConditionModel"],
    vae: ["diffusers", "AutoencoderKL"],
  };
}
