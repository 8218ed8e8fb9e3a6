import type { TensorIndex } from "../safetensors/mod.ts";
import { openClipTensors, readClipText, transformersTensors } from "./clip_text.ts";
import type { LdmGroups } from "./ldm_groups.ts";
import { type LdmUnet, ldmUnetTensors } from "./ldm_unet.ts";
import { type CheckpointPart, countBelow, type Refuse } from "./part.ts";
import { type Family, textConfig, unetConfig, vaeConfig } from "./published.ts";
import { ldmVaeTensors, readVae } from "./vae.ts";

type Config = Readonly<Record<string, unknown>>;
type Parts = Readonly<Record<string, CheckpointPart>>;

/** SD 2 reads the last state but one: as published, its encoder does without the last layer. */
const SD2_TEXT_LAYERS = 23;

/** A file, read so far. */
interface Found {
  readonly family: Family;
  readonly unet: LdmUnet;
  readonly groups: LdmGroups;
  /** Configurations that are given, by part. */
  readonly configs: Readonly<Record<string, Config>>;
  readonly refuse: Refuse;
}

/** The parts that a file has. @param scheduler configuration of it. */
export function partsOf(found: Found, scheduler: Config): Parts {
  const { family, unet, groups, configs, refuse } = found;
  const parts: Record<string, CheckpointPart> = { ...textParts(found) };
  const pooled = parts.text_encoder_2?.config.projection_dim;
  const prediction = scheduler.prediction_type === "v_prediction" ? "v_prediction" : "epsilon";
  parts.unet = {
    config: configs.unet ??
      unetConfig(family, unet, prediction, typeof pooled === "number" ? pooled : undefined),
    tensors: ldmUnetTensors(groups.unet, unet, refuse),
  };
  if (groups.vae.size > 0) {
    const tensors = ldmVaeTensors(groups.vae, refuse);
    parts.vae = { config: configs.vae ?? vaeConfig(family, readVae(tensors, refuse)), tensors };
  }
  return parts;
}

function textParts(found: Found): Parts {
  const { family, groups: { clip, openClip }, refuse } = found;
  const first = clip.size > 0
    ? textPart(found, "text_encoder", transformersTensors(clip, refuse))
    : {};
  if (openClip.size === 0) return first;
  if (family === "sd1") refuse("it has SD 2's or SDXL's text encoder with the UNet of SD 1.x");
  const part = family === "sdxl" ? "text_encoder_2" : "text_encoder";
  if (part in first) refuse("it has two text encoders, and SD 2 has one");
  return { ...first, ...textPart(found, part, openClipPart(found, part)) };
}

function openClipPart({ family, groups: { openClip }, configs, refuse }: Found, part: string) {
  const all = countBelow(openClip, "transformer.resblocks.");
  const given = configs[part]?.num_hidden_layers;
  const layers = typeof given === "number"
    ? given
    : family === "sd2"
    ? Math.min(all, SD2_TEXT_LAYERS)
    : all;
  const tensors = new Map(openClipTensors(openClip, layers, refuse));
  if (family === "sd2") tensors.delete("text_projection.weight");
  return tensors;
}

function textPart({ family, configs, refuse }: Found, part: string, tensors: TensorIndex) {
  const act = part === "text_encoder" && family !== "sd2" ? "quick_gelu" : "gelu";
  const config = configs[part] ??
    textConfig(readClipText(tensors, refuse), act, part === "text_encoder_2");
  return { [part]: { config, tensors } };
}
