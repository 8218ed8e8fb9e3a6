import { readFile, stat } from "node:fs/promises";
import { AppError, reason } from "../../core/error.ts";
import { type LeafSource, leavesOfTranscript, maxTranscriptBytes } from "../../core/prover/mod.ts";
import type { Receipt } from "../../core/transcript/mod.ts";

/**
 * Reads the leaves of a receipt's image from a transcript file, as {@link leavesOfTranscript}.
 * @throws AppError also `storage_failed` when the file cannot be read.
 */
export async function readTranscript(
  path: string,
  receipt: Receipt,
  image?: Uint8Array,
): Promise<LeafSource> {
  return leavesOfTranscript(await readBounded(path, maxTranscriptBytes(receipt)), receipt, image);
}

async function readBounded(path: string, max: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await stat(path);
    if (size <= max) return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new AppError("storage_failed", `Cannot read ${path}: ${reason(cause)}`, { cause });
  }
  throw new AppError(
    "transcript_invalid",
    `Cannot use the transcript: ${path} has more than ${max} bytes`,
  );
}
