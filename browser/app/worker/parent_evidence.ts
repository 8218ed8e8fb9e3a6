import { fileHash } from "../../../core/transcript/mod.ts";
import { committedFile, type Verification } from "../../../core/verifier/mod.ts";
import type { CheckOrder } from "../api/mod.ts";
import { openUpscaler } from "./upscalers.ts";

/**
 * What a request goes on from, as far as it is here. Where the parent's image was enlarged, that is done
 * again; by a network that is not at hand it is not, and then not compared.
 */
export async function parentEvidence(
  { receipt: { request: { upscaler } }, parent }: CheckOrder,
): Promise<Verification["parent"]> {
  if (!parent) return undefined;
  const { receipt, image } = parent;
  if (upscaler === undefined || !image) return { receipt };
  const file = committedFile(receipt, new Uint8Array(await image.arrayBuffer()));
  if (fileHash(file) !== receipt.image.sha256) return { receipt };
  const opened = await openUpscaler(String(upscaler));
  return opened ? { receipt, enlarged: { file, upscaler: opened } } : { receipt };
}
