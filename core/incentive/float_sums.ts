/** Rounds after each operation: `Math.fround` for float32, the identity for float64. */
export type Rounding = (value: number) => number;

const BLOCK = 128;
const LANES = 8;

/**
 * numpy's pairwise sum, whose order of additions the last bits of a weight depend on.
 * @see https://github.com/numpy/numpy/blob/main/numpy/_core/src/umath/loops_utils.h.src
 */
export function pairwiseSum(values: readonly number[], round: Rounding): number {
  const n = values.length;
  if (n > BLOCK) {
    const half = (n >> 1) - (n >> 1) % LANES;
    return round(
      pairwiseSum(values.slice(0, half), round) + pairwiseSum(values.slice(half), round),
    );
  }
  const whole = n - n % LANES;
  return values.slice(whole).reduce(
    (sum, value) => round(sum + value),
    lanes(values, whole, round),
  );
}

/** Eight running sums over the first values, added as a tree; 0 where there are none. */
function lanes(values: readonly number[], whole: number, round: Rounding): number {
  if (whole === 0) return 0;
  const sums = values.slice(0, LANES);
  for (let i = LANES; i < whole; i++) sums[i % LANES] = round(sums[i % LANES] + values[i]);
  const [a, b, c, d, e, f, g, h] = sums;
  const low = round(round(a + b) + round(c + d));
  return round(low + round(round(e + f) + round(g + h)));
}

/** Running sums, one after the other. */
export function cumulativeSum(values: readonly number[], round: Rounding): number[] {
  let sum = 0;
  return values.map((value) => sum = round(sum + value));
}
