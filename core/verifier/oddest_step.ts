import type { PredictionSketch } from "../transcript/mod.ts";

/** Steps on either side that a step is compared with. */
const NEIGHBOURS = 4;
/** The same for how straight it goes on: a jump is straight for several steps. */
const WIDER = 8;
/** Of a step at an end, which has one neighbour: a change is less odd than a kink. */
const END_WEIGHT = 0.75;
/** Of a run's root mean square: smaller differences are all alike. */
const STILL = 1e-3;

/**
 * How odd each step looks among its neighbours, from the sketches p_i alone: the largest of
 *
 * - its kink |p_i - (p_{i-1} + p_{i+1}) / 2| over theirs, which is large where D_i was made up;
 * - their change |p_i - p_{i-1}| over its own, which is large where D_{i-1} was used again;
 * - their bend |p_i - 2 p_{i-1} + p_{i-2}| over its own, which is large where D_i was drawn out of
 *   the predictions before it, or between them.
 *
 * "Theirs" is the lower median. It steers a draw, and convicts nobody: an honest run has an oddest
 * step too. It takes sums, products, quotients and roots alone, so that everybody finds the same.
 * Chosen by figures: `core/adversary/NOT_CAUGHT.md`.
 * @returns 0 where there is nothing to compare: in runs of fewer than three steps.
 */
export function oddnessOf(sketches: readonly PredictionSketch[]): number[] {
  const steps = sketches.length;
  if (steps < 3) return sketches.map(() => 0);
  const still = STILL * Math.sqrt(sum(sketches.map((p) => squares(p))) / steps) || 1;
  const lengths = (of: (i: number) => number) => sketches.map((_, i) => still + of(i));
  const kinks = lengths((i) => kinkAt(sketches, i));
  const changes = lengths((i) => i < 1 ? 0 : combined([1, -1], sketches, i));
  const bends = lengths((i) => i < 2 ? 0 : combined([1, -2, 1], sketches, i));
  return sketches.map((_, i) =>
    Math.max(
      kinks[i] / around(kinks, i, NEIGHBOURS, 0),
      i < 1 ? 0 : around(changes, i, NEIGHBOURS, 1) / changes[i],
      i < 2 || steps < 4 ? 0 : around(bends, i, WIDER, 2) / bends[i],
    )
  );
}

/** The first of the oddest. */
export function oddestStep(sketches: readonly PredictionSketch[]): number {
  const oddness = oddnessOf(sketches);
  return oddness.indexOf(Math.max(...oddness));
}

function kinkAt(sketches: readonly PredictionSketch[], i: number): number {
  if (i === 0) return END_WEIGHT * combined([1, -1], sketches, 1);
  if (i === sketches.length - 1) return END_WEIGHT * combined([1, -1], sketches, i);
  return combined([-0.5, 1, -0.5], sketches, i + 1);
}

/** |sum of weights[k] p_{i-k}| */
function combined(
  weights: readonly number[],
  sketches: readonly PredictionSketch[],
  i: number,
): number {
  let total = 0;
  for (let k = 0; k < sketches[i].length; k++) {
    let value = 0;
    for (const [age, weight] of weights.entries()) value += weight * sketches[i - age][k];
    total += value * value;
  }
  return Math.sqrt(total);
}

function squares(a: PredictionSketch): number {
  let total = 0;
  for (const value of a) total += value * value;
  return total;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The lower median of the values within a reach of this one, which is left out, from `first` on. */
function around(values: readonly number[], i: number, reach: number, first: number): number {
  const from = Math.max(first, i - reach);
  const near = values.slice(from, i + reach + 1).toSpliced(i - from, 1).sort((a, b) => a - b);
  return near[(near.length - 1) >> 1];
}
