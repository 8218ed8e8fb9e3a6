import type { ModelFiles } from "../model/mod.ts";
import { type IndexedTensor, readSafetensorsIndex, type TensorIndex } from "../safetensors/mod.ts";
import { refuseOtherFormats } from "./file_format.ts";
import { refuseOtherKind } from "./other_kinds.ts";
import { type CheckpointPart, type Refuse } from "./part.ts";
import { refuser } from "./single_file.ts";
import { ldmVaeTensors, readVae } from "./vae.ts";

/** What stands before a VAE's names in a file of more than it. */
const PREFIXES = ["first_stage_model.", "vae."];
const NOT_WEIGHTS = /^(loss|model_ema)\./;

/**
 * Opens the VAE of a `.safetensors` file: one by itself, in the names of LDM or of diffusers, or that
 * of a checkpoint.
 * @param config of the VAE that it stands for: what a file does not say, such as `scaling_factor`, is
 * taken from it.
 * @throws AppError `model_invalid` that says what is wrong with the file, or what else it is.
 */
export async function openVaeFile(
  files: ModelFiles,
  path: string,
  config: Readonly<Record<string, unknown>>,
): Promise<CheckpointPart> {
  const refuse = refuser(path, "VAE");
  await refuseOtherFormats(files, path, refuse);
  const { tensors } = await readSafetensorsIndex(files, path);
  return vaeOf(tensors, config, refuse);
}

function vaeOf(
  all: TensorIndex,
  config: Readonly<Record<string, unknown>>,
  refuse: Refuse,
): CheckpointPart {
  const vae = ownTensors(all);
  if (!vae.has("decoder.conv_in.weight")) return refuseOtherVae(all, refuse);
  const tensors = vae.has("decoder.mid.block_1.norm1.weight")
    ? ldmVaeTensors(vae, refuse)
    : new Map([...vae].map(([name, tensor]) => [name, { ...tensor, name }]));
  return { config: { ...config, ...readVae(tensors, refuse) }, tensors };
}

/** By names without what stands before them; a file of more than a VAE keeps the rest. */
function ownTensors(all: TensorIndex): TensorIndex {
  const names = [...all.keys()];
  const prefix = PREFIXES.find((start) => names.some((name) => name.startsWith(start))) ?? "";
  return new Map([...all].flatMap(([name, tensor]): [string, IndexedTensor][] => {
    const inner = name.slice(prefix.length);
    return name.startsWith(prefix) && !NOT_WEIGHTS.test(inner) ? [[inner, tensor]] : [];
  }));
}

function refuseOtherVae(all: TensorIndex, refuse: Refuse): never {
  if (all.has("model.diffusion_model.input_blocks.0.0.weight")) refuse("the file has no VAE");
  if (all.has("decoder.layers.0.weight") || all.has("decoder.1.weight")) {
    refuse("it is a tiny autoencoder (TAESD), which is not built");
  }
  return refuseOtherKind(all, refuse);
}
