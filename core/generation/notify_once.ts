import { sha256 } from "@noble/hashes/sha2.js";
import { AppError } from "../error.ts";
import type { GenerateOptions } from "./engine.ts";
import type { Leaf } from "../denoise/mod.ts";

/**
 * Options for a run that may be repeated from its start: each leaf and step is emitted once
 * and in order, whichever run it comes from. A repeated leaf must equal the emitted one bit for bit:
 * the caller holds one transcript, and it has to be that of the image.
 * @returns makes the options of each run; they throw AppError `inference_failed` where a repeated
 * leaf differs.
 */
export function notifyOnce(options: GenerateOptions): () => GenerateOptions {
  const { onLeaf, onStep } = options;
  const emitted: Uint8Array[] = [];
  let stepsEmitted = 0;
  return () => {
    let leaves = 0;
    return {
      ...options,
      onLeaf: onLeaf && ((leaf) => {
        const place = leaves++;
        if (place < emitted.length) return checkSame(leaf, emitted[place]);
        emitted.push(digest(leaf));
        onLeaf(leaf);
      }),
      onStep: onStep && ((progress) => {
        if (progress.index < stepsEmitted) return;
        stepsEmitted = progress.index + 1;
        onStep(progress);
      }),
    };
  };
}

function digest({ bits }: Leaf): Uint8Array {
  return sha256(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength));
}

function checkSame(leaf: Leaf, emitted: Uint8Array): void {
  const now = digest(leaf);
  if (emitted.every((byte, k) => byte === now[k])) return;
  throw new AppError(
    "inference_failed",
    `Cannot repeat the run: ${leaf.kind}${leaf.index} is not what it was before the device failed`,
  );
}
