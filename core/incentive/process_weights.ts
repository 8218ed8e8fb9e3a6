import { AppError } from "../error.ts";
import { cumulativeSum, pairwiseSum, type Rounding } from "./float_sums.ts";

const U16_MAX = 65535;
/** The SDK's, against a division by zero. */
const EPSILON = 1e-7;
/** What a neuron without a score gets where too few have one. */
const FILL = 1e-5;

/** Scores by uid, and what the subnet demands of weights. */
export interface ScoresToWeigh {
  /** Index is the uid. A score that is no positive number of float32 counts as none. */
  readonly scores: readonly number[];
  readonly minAllowedWeights: number;
  /** The largest share of one neuron, in 0..1. */
  readonly maxWeightLimit: number;
  /** Of 65535: which part of the lowest scores is left out. */
  readonly excludeQuantile?: number;
}

/** Neurons and what each is given. */
export interface Weights {
  readonly uids: readonly number[];
  readonly weights: readonly number[];
}

/**
 * Scores -> normalised weights, as the Bittensor SDK does it: the lowest left out, none above the
 * limit, all equal where nobody has a score. Float32 where the SDK's arrays are.
 * @returns weights that sum to 1, by rising uid; nothing for no scores.
 * @throws AppError `invalid_request` for limits that are no numbers of their range.
 * @see process_weights_for_netuid, https://github.com/opentensor/bittensor (utils/weight_utils.py)
 */
export function processWeights(
  { scores, minAllowedWeights, maxWeightLimit, excludeQuantile = 0 }: ScoresToWeigh,
): Weights {
  checkRange("minAllowedWeights", minAllowedWeights, 0, U16_MAX);
  checkRange("maxWeightLimit", maxWeightLimit, 0, 1);
  checkRange("excludeQuantile", excludeQuantile, 0, U16_MAX);
  const all = scores.map(Math.fround).map((score) => Number.isFinite(score) ? score : 0);
  const uids = all.map((_, uid) => uid);
  const scored = uids.filter((uid) => all[uid] > 0);
  if (scored.length === 0 || all.length < minAllowedWeights) {
    return { uids, weights: uids.map(() => 1 / uids.length) };
  }
  if (scored.length < minAllowedWeights) {
    const filled = all.map((score) => score > 0 ? FILL + score : FILL);
    return { uids, weights: limitShares(filled, maxWeightLimit, (value) => value) };
  }
  const min = lowestKept(scored.map((uid) => all[uid]), minAllowedWeights, excludeQuantile);
  const kept = scored.filter((uid) => min <= all[uid]);
  return {
    uids: kept,
    weights: limitShares(kept.map((uid) => all[uid]), maxWeightLimit, Math.fround),
  };
}

/** The quantile below which scores are left out, as long as enough remain. */
function lowestKept(scores: readonly number[], minAllowed: number, exclude: number): number {
  const max = Math.max(0, scores.length - minAllowed) / scores.length;
  return quantile(scores, Math.fround(Math.min(exclude / U16_MAX, max)));
}

/** numpy's `linear` quantile in float32. */
function quantile(values: readonly number[], share: number): number {
  const round = Math.fround;
  const sorted = values.toSorted((a, b) => a - b);
  const at = round((sorted.length - 1) * share);
  const [low, high] = [
    sorted[Math.floor(at)],
    sorted[Math.min(Math.floor(at) + 1, sorted.length - 1)],
  ];
  const part = round(at - Math.floor(at));
  const difference = round(high - low);
  return part < 0.5
    ? round(low + round(difference * part))
    : round(high - round(difference * round(1 - part)));
}

/** Shares of 1, those above the limit cut until none is. */
function limitShares(values: readonly number[], limit: number, round: Rounding): number[] {
  const sum = pairwiseSum(values, round);
  if (sum === Infinity) return limitShares(belowOverflow(values), limit, round);
  if (sum === 0 || values.length * limit <= 1) return values.map(() => round(1 / values.length));
  const sorted = values.toSorted((a, b) => a - b);
  const total = pairwiseSum(sorted, round);
  const shares = sorted.map((value) => round(value / total));
  if (shares[shares.length - 1] <= round(limit)) return values.map((value) => round(value / sum));
  const cutoff = cutoffShare(shares, limit, round) * total;
  const cut = values.map((value) => value > cutoff ? round(cutoff) : value);
  const left = pairwiseSum(cut, round);
  return cut.map((value) => round(value / left));
}

/** The same shares at a scale at which the sum of a subnet's scores fits float32. */
function belowOverflow(values: readonly number[]): number[] {
  return values.map((value) => value * 2 ** -16);
}

/** Where rising shares have to be cut so that the largest is the limit of what is left. */
function cutoffShare(shares: readonly number[], limit: number, round: Rounding): number {
  const sums = cumulativeSum(shares, round);
  const n = shares.length;
  const max = round(limit);
  const below = shares.filter((share, i) => {
    const ifCutHere = round(round(round((n - i - 1) * share) + sums[i]) + round(EPSILON));
    return round(share / ifCutHere) < max;
  }).length;
  const before = below > 0 ? sums[below - 1] : sums[n - 1];
  // The divisor counts neurons, which makes it, and with it the cutoff, a double for numpy 2.
  return round(round(max * before) - round(EPSILON)) / (1 - limit * (n - below));
}

/**
 * Weights -> what an extrinsic carries: u16 with the largest at 65535, without those that round to
 * nothing. Halves are rounded to even, as Python does.
 * @throws AppError `invalid_request` for a negative or non-finite weight, or lengths that differ.
 */
export function emitWeights(uids: readonly number[], weights: readonly number[]): Weights {
  if (uids.length !== weights.length) {
    refuse(`${uids.length} uids have ${weights.length} weights`);
  }
  for (const [k, weight] of weights.entries()) {
    if (!(weight >= 0 && weight < Infinity)) refuse(`the weight of uid ${uids[k]} is ${weight}`);
  }
  for (const uid of uids) {
    if (!Number.isInteger(uid) || uid < 0 || uid > U16_MAX) refuse(`a uid is ${uid}`);
  }
  const largest = weights.reduce((max, weight) => Math.max(max, weight), 0);
  if (largest === 0) return { uids: [], weights: [] };
  const values = weights.map((weight) => roundHalfEven(weight / largest * U16_MAX));
  const kept = uids.map((_, k) => k).filter((k) => values[k] > 0);
  return { uids: kept.map((k) => uids[k]), weights: kept.map((k) => values[k]) };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function checkRange(field: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new AppError(
    "invalid_request",
    `Cannot process weights: ${field} is ${value}, not from ${min} to ${max}`,
  );
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot emit weights: ${why}`);
}
