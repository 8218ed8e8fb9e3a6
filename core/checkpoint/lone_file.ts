import type { ModelFiles } from "../model/mod.ts";
import { readSafetensorsIndex, type SafetensorsIndex } from "../safetensors/mod.ts";
import { refuseOtherFormats } from "./file_format.ts";
import { ldmGroups } from "./ldm_groups.ts";
import { otherKind } from "./other_kinds.ts";
import { refuser } from "./single_file.ts";

/** What one `.safetensors` file holds. */
interface LoneFile extends SafetensorsIndex {
  /** As the rest of a sentence, "it is a LoRA, ..."; undefined for a checkpoint of Stable Diffusion. */
  readonly otherKind?: string;
}

/**
 * Tells what a file is by its header.
 * @throws AppError `model_invalid` when it is damaged, or no safetensors.
 */
export async function readLoneFile(files: ModelFiles, path: string): Promise<LoneFile> {
  const refuse = refuser(path);
  await refuseOtherFormats(files, path, refuse);
  const index = await readSafetensorsIndex(files, path);
  return ldmGroups(index.tensors, refuse)
    ? index
    : { ...index, otherKind: otherKind(index.tensors) };
}
