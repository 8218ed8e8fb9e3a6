import { AppError } from "../../core/error.ts";
import { maxImageBytes, type Receipt } from "../../core/transcript/mod.ts";
import { committedFile, type Verification } from "../../core/verifier/mod.ts";
import { openUpscaler } from "../compute/mod.ts";
import { readReceipt } from "../sources/mod.ts";
import { readAtMost } from "../storage/mod.ts";

/** Of what those who serve an image add to its file. */
const MAX_METADATA_BYTES = 2 ** 20;

interface ParentFlags {
  readonly parent?: string;
  readonly parentImage?: string;
  readonly upscaler?: string;
}

/**
 * The parent of a receipt's request, as far as its files are given.
 * @throws AppError `invalid_request` for files of none, and for an upscaler that is not at hand.
 */
export async function parentOfReceipt(
  { request }: Receipt,
  { parent, parentImage, upscaler }: ParentFlags,
): Promise<Verification["parent"]> {
  if (parent === undefined) {
    return parentImage === undefined
      ? undefined
      : refuse(`${parentImage} is given as the parent's image: give its receipt with --parent`);
  }
  const receipt = await readReceipt(parent);
  if (request.upscaler === undefined || parentImage === undefined) return { receipt };
  const file = await readCommitted(receipt, parentImage);
  return {
    receipt,
    enlarged: { file, upscaler: await openUpscaler(upscaler ?? request.upscaler) },
  };
}

/** The file that a receipt commits to, of one that may carry metadata. */
export async function readCommitted(receipt: Receipt, path: string) {
  const most = maxImageBytes(receipt.request) + MAX_METADATA_BYTES;
  return committedFile(receipt, await readAtMost(path, most));
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
