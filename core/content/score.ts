/** A measure of a piece of content. */
export interface Score {
  /** In [0, 1]. */
  readonly value: number;
  /** How far the same measure is off when the picture is looked at in another way; never below 0. */
  readonly uncertainty: number;
}

/** Within [0, 1]; what is no number is 0. */
export function bounded(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0;
}
