import { named } from "../named.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import type { Refuse } from "./part.ts";

const OTHER_NETWORK =
  "its names are not mapped in one file yet. Take the folder of diffusers that the model is " +
  "published as";

/** What files hold that are offered as models and are none, by a name of one of their tensors. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [
    /^lora_|lora_(up|down|[AB]|linear)|_lora\.(up|down)\.|\.(hada|lokr)_w|\.dora_scale|\.oft_/,
    "it is a LoRA, which changes a model and is none. Give it as an adapter of one",
  ],
  [
    /^(control_model|controlnet_\w+|input_hint_block|zero_convs)\./,
    "it is a ControlNet, which steers a model and is none",
  ],
  [/^(adapter\.)?body\.\d+\.(resnets|block1|in_conv)\b/, "it is a T2I-Adapter, not a model"],
  [/^(image_proj|ip_adapter)\b/, "it is an IP-Adapter, not a model"],
  [/motion_modules?\./, "it is a motion module of AnimateDiff, not a model"],
  [
    /^(emb_params|clip_[lg]|string_to_param\b.*|<.+>)$/,
    "it is a textual inversion: embeddings of a word, not a model",
  ],
  [/(^|\.)joint_blocks\.\d/, `it is SD3, and ${OTHER_NETWORK}`],
  [/(^|\.)distilled_guidance_layer\./, "it is Chroma, which is not built"],
  [/(^|\.)single_stream_modulation\./, "it is FLUX.2, which is not built"],
  [/(^|\.)double_blocks\.\d+\.img_/, `it is FLUX, and ${OTHER_NETWORK}`],
  [/(^|\.)double_layers\.\d/, "it is AuraFlow, which is not built"],
  [/(^|\.)(cap_embedder|noise_refiner)\./, "it is Lumina or Z-Image, which are not built"],
  [/(^|\.)clip_txt_mapper\.|\.channelwise\./, "it is Stable Cascade, which is not built"],
  [
    /^(single_)?transformer_blocks\.\d/,
    "it is a transformer alone, in diffusers' names. Give the folder of the whole model",
  ],
  [
    /^(up_blocks|mid_block)\.\d*/,
    "it is a UNet alone, in diffusers' names, as unet/ of a model holds it. Give the folder of " +
    "the whole model",
  ],
  [
    /^(first_stage_model|vae)\.|^(encoder|decoder)\.(conv_in|mid|mid_block)\./,
    "it is a VAE alone. Give it as the VAE of a model",
  ],
  [
    /^text_model\.|^(shared|encoder\.block)\.|^(cond_stage_model|conditioner)\.|resblocks\.\d/,
    "it is a text encoder alone, not a model",
  ],
  [/^(conv_first|body\.\d+|model\.\d+)\./, "it is a network that enlarges images, not a model"],
];

/** Says what a file without the UNet of Stable Diffusion is. */
export function refuseOtherKind(tensors: TensorIndex, refuse: Refuse): never {
  return refuse(otherKind(tensors));
}

/** "it is a LoRA, ...": what a file without the UNet of Stable Diffusion is. */
export function otherKind(tensors: TensorIndex): string {
  const names = [...tensors.keys()];
  if (names.length === 0) return "it has no tensors";
  const kind = KINDS.find(([pattern]) => names.some((name) => pattern.test(name)));
  return kind?.[1] ?? `its names are of no known model: ${named(names)}`;
}
