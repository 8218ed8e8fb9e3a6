import type { ModelFiles } from "../../core/model/mod.ts";
import { AppError, reason } from "../../core/error.ts";
import { FolderFiles } from "../models/mod.ts";

/** As diffusers and transformers name the weights of a part, after a variant or a shard's number. */
const FORM = /^(diffusion_pytorch_model|model)(\.\w+)?(-\d+-of-\d+)?\.safetensors$/;
const INDEX = /^(diffusion_pytorch_model|model)\.safetensors\.index(\.\w+)?\.json$/;

/**
 * A folder's files. @param only these of them.
 * @throws AppError `model_not_found` when it cannot be listed.
 */
export async function openPartFolder(
  location: string,
  only?: readonly string[],
): Promise<ModelFiles> {
  try {
    return await FolderFiles.open({ name: location, location, only });
  } catch (cause) {
    throw new AppError("model_not_found", `Cannot open ${location}: ${reason(cause)}`, { cause });
  }
}

/**
 * The weights of a part: a `.safetensors` file, or the index of several.
 * @throws AppError `model_invalid` when there are none, or several to choose from.
 */
export function weightsPath(files: ModelFiles): string {
  const indices = files.paths.filter((path) => INDEX.test(path));
  const found = indices.length > 0 ? indices : files.paths.filter((path) => FORM.test(path));
  if (found.length === 1) return found[0];
  const why = found.length === 0
    ? "none is named model.safetensors or diffusion_pytorch_model.safetensors"
    : `it has several, ${found.join(", ")}`;
  throw new AppError("model_invalid", `Cannot open the weights of ${files.name}: ${why}`);
}
