import type { PlanRow } from "../schedule/mod.ts";
import type { LeafRun } from "./merkle.ts";

/**
 * The layout of a transcript of N steps: x_0, D_0, x_1, D_1, ..., x_N, then the image's
 * file. x_i is leaf 2i, D_i leaf 2i + 1, the image leaf 2N + 1.
 */

/** Channels, height and width of one image's latent. */
export type LatentShape = readonly [channels: number, height: number, width: number];

/** A committed tensor of one image, as float16 bits. `x`: a state. `d`: a denoised prediction. */
export interface TensorLeaf {
  readonly kind: "x" | "d";
  readonly index: number;
  readonly bits: Uint16Array;
}

/** x_0 alone, a step's own leaves, or x_N alone. */
export type OpeningTarget = "start" | number | "end";

/** For sentences: `step 3`, `the start`. */
export function targetName(target: OpeningTarget): string {
  return typeof target === "number" ? `step ${target}` : `the ${target}`;
}

export function leafCount(steps: number): number {
  return 2 * steps + 2;
}

/** The position of the image's file. */
export function imageLeaf(steps: number): number {
  return 2 * steps + 1;
}

export function leafKindAt(position: number): Pick<TensorLeaf, "kind" | "index"> {
  return { kind: position % 2 === 0 ? "x" : "d", index: Math.floor(position / 2) };
}

/** `x.0`, `d.0`, ...: names in safetensors files. */
export function leafNameAt(position: number): string {
  const { kind, index } = leafKindAt(position);
  return `${kind}.${index}`;
}

/**
 * The shortest run with all that step i reads and writes: its oldest state or prediction to
 * x_{i+1}. A second-order step takes four leaves: D_{i-1}, x_i, D_i, x_{i+1}.
 */
export function stepRun(i: number, row: Pick<PlanRow, "states" | "denoised">): LeafRun {
  const oldestState = 2 * (i - row.states.length + 1);
  const oldestDenoised = 2 * (i - row.denoised.length + 1) + 1;
  return { first: Math.min(oldestState, oldestDenoised), last: 2 * i + 2 };
}

/** Bytes as committed, little-endian as every engine's typed arrays are. Shares the memory. */
export function bytesOfBits(bits: Uint16Array): Uint8Array {
  return new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
}

/** The tensor of each image of a batch: u16[batch, n] in rows. Shares the memory. */
export function leavesOfImages(leaf: TensorLeaf, batch: number): TensorLeaf[] {
  const length = leaf.bits.length / batch;
  return Array.from(
    { length: batch },
    (_, k) => ({ ...leaf, bits: leaf.bits.subarray(k * length, (k + 1) * length) }),
  );
}
