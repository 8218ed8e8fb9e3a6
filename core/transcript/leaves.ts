import type { PlanRow } from "../schedule/mod.ts";
import type { LeafRun } from "./merkle.ts";

/**
 * The layout of a transcript of N steps: the S sources, where a run has them (s, m, k), then x_0, D_0,
 * x_1, D_1, ..., x_N, then the image's file. x_i is leaf S + 2i, D_i leaf S + 2i + 1, the image leaf
 * S + 2N + 1.
 */

/**
 * What a run starts from: `s`, the latent of an image, `m`, a mask on each of its elements, and `k`, the
 * latent of what that keeps, which some networks read.
 */
export type SourceKind = "s" | "m" | "k";

/** Of a run whose network reads mask and kept latent. */
export const MASKED_SOURCES: ["s", "m", "k"] = ["s", "m", "k"];

/** The sources of a run: those that its receipt states, or else by its request. */
export function sourcesOf(
  { request: { image, mask }, sources }: {
    readonly request: { readonly image?: unknown; readonly mask?: unknown };
    readonly sources?: readonly SourceKind[];
  },
): readonly SourceKind[] {
  return sources ?? [
    ...(image === undefined ? [] : ["s"] as const),
    ...(mask === undefined ? [] : ["m"] as const),
  ];
}

/** Channels, height and width of one image's latent. */
export type LatentShape = readonly [channels: number, height: number, width: number];

/** A committed tensor of one image, as float16 bits. `x`: a state. `d`: a denoised prediction. */
export interface TensorLeaf {
  readonly kind: SourceKind | "x" | "d";
  readonly index: number;
  readonly bits: Uint16Array;
}

/** The sources and x_0, a step's own leaves, or x_N alone. */
export type OpeningTarget = "start" | number | "end";

/** For sentences: `step 3`, `the start`. */
export function targetName(target: OpeningTarget): string {
  return typeof target === "number" ? `step ${target}` : `the ${target}`;
}

/** @param sources of the run, here and below. */
export function leafCount(steps: number, sources: readonly SourceKind[] = []): number {
  return sources.length + 2 * steps + 2;
}

/** The position of the image's file. */
export function imageLeaf(steps: number, sources: readonly SourceKind[] = []): number {
  return sources.length + 2 * steps + 1;
}

export function leafKindAt(
  position: number,
  sources: readonly SourceKind[] = [],
): Pick<TensorLeaf, "kind" | "index"> {
  if (position < sources.length) return { kind: sources[position], index: 0 };
  const place = position - sources.length;
  return { kind: place % 2 === 0 ? "x" : "d", index: Math.floor(place / 2) };
}

/** `s.0`, `x.0`, `d.0`, ...: names in safetensors files. */
export function leafNameAt(position: number, sources: readonly SourceKind[] = []): string {
  const { kind, index } = leafKindAt(position, sources);
  return `${kind}.${index}`;
}

/**
 * The shortest run with all that step i reads and writes: its oldest state or prediction to
 * x_{i+1}. A second-order step takes four leaves: D_{i-1}, x_i, D_i, x_{i+1}.
 */
export function stepRun(
  i: number,
  row: Pick<PlanRow, "states" | "denoised">,
  sources: readonly SourceKind[] = [],
): LeafRun {
  const oldestState = 2 * (i - row.states.length + 1);
  const oldestDenoised = 2 * (i - row.denoised.length + 1) + 1;
  const first = Math.min(oldestState, oldestDenoised);
  return { first: sources.length + first, last: sources.length + 2 * i + 2 };
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
