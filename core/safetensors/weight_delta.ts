import type { IndexedTensor } from "./tensor_index.ts";

/** A low-rank change of a weight, from another file: W + scale * up @ down. */
export interface WeightDelta {
  /** [rank, from] or, of a convolution, [rank, from, k, k]. */
  readonly down: IndexedTensor;
  /** [to, rank] or [to, rank, 1, 1]. */
  readonly up: IndexedTensor;
  /** [rank, rank, k, k]: the kernel, where the others have 1x1. */
  readonly mid?: IndexedTensor;
  /** Of the file's own: alpha over rank. */
  readonly scale: number;
}
