import type { ModelFiles } from "../../../core/model/mod.ts";
import { AppError } from "../../../core/error.ts";
import type { InputBlobs } from "../api/mod.ts";
import { BlobFiles } from "./blob_files.ts";
import { hashOfBlob } from "./file_hash.ts";

/**
 * A model whose weights LoRAs change as far as a request says. What reads them is loaded with the first.
 * @param loras by their SHA-256.
 * @throws AppError `model_invalid` for a file that is no LoRA, or not one of this model.
 */
export async function withLoras(files: ModelFiles, loras: InputBlobs): Promise<ModelFiles> {
  const given = Object.entries(loras);
  if (given.length === 0) return files;
  const { adaptFiles } = await import("../../../core/adapter/mod.ts");
  let adapted = files;
  for (const [sha256, blob] of given) {
    await requireHash(blob, sha256);
    const name = `lora-${sha256.slice(0, 12)}.safetensors`;
    adapted = await adaptFiles(adapted, { files: new BlobFiles(name, blob), sha256 });
  }
  return adapted;
}

/** What is kept on this machine may have been changed there. */
async function requireHash(blob: Blob, sha256: string): Promise<void> {
  const found = await hashOfBlob(blob);
  if (found === sha256) return;
  throw new AppError(
    "model_invalid",
    `Cannot use the LoRA ${sha256.slice(0, 12)}...: its file has the hash ${
      found.slice(0, 12)
    }...; ` +
      "choose it again",
  );
}
