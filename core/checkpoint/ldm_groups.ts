import { named } from "../named.ts";
import type { IndexedTensor, TensorIndex } from "../safetensors/mod.ts";
import type { Refuse } from "./part.ts";

/** Tensors of one network by their names in it; each keeps the file's name as its own. */
export type LdmGroups = Readonly<Record<GroupName, TensorIndex>> & {
  /** The open_clip encoder is the first of its conditioner: of SD 2 and of SDXL's refiner. */
  readonly openClipFirst: boolean;
  /** How many tensors of a LoRA lie beside the model. */
  readonly loraTensors: number;
};

type GroupName = "unet" | "vae" | "clip" | "openClip";

const PREFIXES: readonly (readonly [string, GroupName])[] = [
  ["model.diffusion_model.", "unet"],
  ["first_stage_model.", "vae"],
  ["vae.", "vae"],
  ["cond_stage_model.transformer.", "clip"],
  ["conditioner.embedders.0.transformer.", "clip"],
  ["cond_stage_model.model.", "openClip"],
  ["conditioner.embedders.0.model.", "openClip"],
  ["conditioner.embedders.1.model.", "openClip"],
];

/** Tensors of the training code, and marks, that no network reads. */
const NOT_WEIGHTS: readonly RegExp[] = [
  /^(model_ema|embedding_manager|denoiser|loss)\./,
  /^first_stage_model\.(loss|model_ema)\./,
  /^(betas|alphas_cumprod(_prev)?|sqrt_\w+|log_one_minus_alphas_cumprod|posterior_\w+)$/,
  /^(logvar|lvlb_weights|scale_factor|global_step|v_pred|ztsnr)$|^edm_/,
  /\.(position_ids|logit_scale|attn_mask)$/,
  // Of an encoder whose pooled state nobody projects.
  /^(cond_stage_model|conditioner\.embedders\.0)\.transformer\.text_projection\b/,
];

const LORA = /^lora_(unet|te\d?)_/;

/** A UNet at the top of a file, as one is kept by itself; a ControlNet has no `out`. */
const BARE_UNET = ["input_blocks.0.0.weight", "out.2.weight"];

/** @returns undefined for a file without a UNet in LDM's names. */
export function ldmGroups(tensors: TensorIndex, refuse: Refuse): LdmGroups | undefined {
  const bare = BARE_UNET.every((name) => tensors.has(name));
  const groups = { unet: index(), vae: index(), clip: index(), openClip: index() };
  const unknown: string[] = [];
  for (const [name, tensor] of tensors) {
    const [prefix, group] = PREFIXES.find(([start]) => name.startsWith(start)) ?? [];
    if (NOT_WEIGHTS.some((pattern) => pattern.test(name)) || LORA.test(name)) continue;
    if (prefix && group) put(groups[group], name.slice(prefix.length), tensor, refuse);
    else if (bare) put(groups.unet, name, tensor, refuse);
    else unknown.push(name);
  }
  if (!groups.unet.has("input_blocks.0.0.weight")) return undefined;
  const names = [...tensors.keys()];
  if (names.some((name) => name.startsWith("control_model."))) return undefined;
  if (unknown.length > 0) refuse(`it has no place for ${named(unknown)}`);
  return {
    ...groups,
    openClipFirst: names.some((name) => name.startsWith("conditioner.embedders.0.model.")),
    loraTensors: names.filter((name) => LORA.test(name)).length,
  };
}

function index(): Map<string, IndexedTensor> {
  return new Map();
}

function put(
  group: Map<string, IndexedTensor>,
  name: string,
  tensor: IndexedTensor,
  refuse: Refuse,
): void {
  const other = group.get(name);
  if (other) refuse(`${tensor.name} and ${other.name} are one tensor of its network`);
  group.set(name, tensor);
}
