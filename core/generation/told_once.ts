import { sha256 } from "@noble/hashes/sha2.js";
import { AppError } from "../error.ts";
import type { GenerateOptions } from "./engine.ts";
import type { Leaf } from "../denoise/mod.ts";

/**
 * Options for a run that may be repeated from its start: the caller is told of each leaf and step
 * once and in order, whichever run they come from. A repeated leaf must be the one that was told,
 * bit for bit: the caller holds one transcript, and it has to be that of the image.
 * @returns makes the options of each run; they throw AppError `inference_failed` where a repeated
 * leaf differs.
 */
export function toldOnce(options: GenerateOptions): () => GenerateOptions {
  const { onLeaf, onStep } = options;
  const told: Uint8Array[] = [];
  let stepsTold = 0;
  return () => {
    let leaves = 0;
    return {
      ...options,
      onLeaf: onLeaf && ((leaf) => {
        const place = leaves++;
        if (place < told.length) return checkSame(leaf, told[place]);
        told.push(digest(leaf));
        onLeaf(leaf);
      }),
      onStep: onStep && ((progress) => {
        if (progress.index < stepsTold) return;
        stepsTold = progress.index + 1;
        onStep(progress);
      }),
    };
  };
}

function digest({ bits }: Leaf): Uint8Array {
  return sha256(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength));
}

function checkSame(leaf: Leaf, told: Uint8Array): void {
  const now = digest(leaf);
  if (told.every((byte, k) => byte === now[k])) return;
  throw new AppError(
    "inference_failed",
    `Cannot repeat the run: ${leaf.kind}${leaf.index} is not what it was before the device failed`,
  );
}
