import { meanOf } from "./mean.ts";

/**
 * A sequential test over one miner's checks: errors that each stay below their tolerance, and together
 * are larger than honest machines' are. It is Page's CUSUM of a log-likelihood ratio, on checks and not
 * on steps, since the steps of one image are correlated.
 *
 * @see Page, Continuous inspection schemes, Biometrika 41 (1954); Lorden, Ann. Math. Statist. 42 (1971).
 */

/**
 * The null: how far honest images of one kind are from their tolerances, by the logarithm of velocity
 * error over tolerance, held at `floor` from below.
 */
export interface HonestTail {
  /** The median. More exact than this a step gains nothing: those that agree to the bit hide no others. */
  readonly floor: number;
  readonly mean: number;
  /** Standard deviation of images' means around it, and of an image's steps around its own. */
  readonly between: number;
  readonly within: number;
}

/** What a miner's checks come to. */
export interface Drift {
  /** Evidence against honesty over what makes it `drifting`, in [0, 1]. */
  readonly evidence: number;
  /** From when the evidence reaches 1 until newer checks have taken it back to 0. */
  readonly drifting: boolean;
}

/** Standard deviations of the shift that is found soonest: smaller ones later, larger ones as soon. */
const SHIFT = 1.5;
/**
 * Deviations are held between these. A single check weighs little, however far off; and a miner that
 * is honest at some images gains less by them than it loses at the others.
 */
const BOUNDS = { least: -1, most: 3 } as const;
/** Stress tests every ten minutes with four checks each, and 2,700 answers to users. */
export const CHECKS_A_MONTH = 20_000;
/** That an honest miner is ever called drifting in a month. */
export const FALSE_ALARMS = 1e-4;
/**
 * By Ville's inequality a sum that begins at a given check ever exceeds h with probability e^-h at
 * most, as long as e^gain is 1 at most on average; a month has as many beginnings as checks.
 */
const THRESHOLD = Math.log(CHECKS_A_MONTH / FALSE_ALARMS);
/** Ratios are held between these: hosts that agree to the bit have 0, and JSON has no infinity. */
const RATIOS = { least: 1e-3, most: 1e3 } as const;

/** log(velocity error / tolerance) of a step, finite. */
function logRatio(ratio: number): number {
  if (Number.isNaN(ratio)) return Math.log(RATIOS.most);
  return Math.log(Math.min(Math.max(ratio, RATIOS.least), RATIOS.most));
}

/**
 * How far a check is above honest ones, in standard deviations.
 * @param ratios velocity error over tolerance of its steps; at least one.
 */
export function deviationOf(
  ratios: readonly number[],
  { floor, mean, between, within }: HonestTail,
): number {
  const own = meanOf(ratios.map((ratio) => Math.max(logRatio(ratio), floor)));
  return (own - mean) / Math.sqrt(between ** 2 + within ** 2 / ratios.length);
}

/** The log-likelihood ratio of one check: N(SHIFT, 1) against N(0, 1). */
export function gainOf(deviation: number): number {
  const held = Math.min(Math.max(deviation, BOUNDS.least), BOUNDS.most);
  return SHIFT * (held - SHIFT / 2);
}

/** @param deviations of a miner's checks, the oldest first. */
export function driftOf(deviations: Iterable<number>): Drift {
  let [sum, drifting] = [0, false];
  for (const deviation of deviations) {
    // Held at the threshold, so that newer honest checks end it however long it lasted.
    sum = Math.min(Math.max(sum + gainOf(deviation), 0), THRESHOLD);
    if (sum === THRESHOLD) drifting = true;
    if (sum === 0) drifting = false;
  }
  return { evidence: sum / THRESHOLD, drifting };
}

/** At least so far apart are honest images: a new driver moves their errors by a tenth and more. */
const MIN_BETWEEN = 0.15;
const WIDENING = 1.05;

/**
 * The null from honest images of one kind: measured, and widened until e^gain of a check of three steps
 * is 1 at most on average. Tails that are heavier than normal widen it.
 * @param images velocity error over tolerance of each one's steps: two images, of three steps, at least.
 */
export function fitHonestTail(images: readonly (readonly number[])[]): HonestTail {
  const logs = images.map((ratios) => ratios.map(logRatio));
  const floor = upperMean(logs.map(medianOf));
  const held = logs.map((own) => own.map((log) => Math.max(log, floor)));
  const means = held.map(meanOf);
  const mean = upperMean(means);
  const within = Math.sqrt(meanOf(held.map(variance)));
  const between = Math.sqrt(Math.max(variance(means), MIN_BETWEEN ** 2));
  const checks = images.flatMap(threes);
  let tail = { floor, mean, between, within };
  while (rises(checks, tail)) {
    tail = { ...tail, between: tail.between * WIDENING, within: tail.within * WIDENING };
  }
  return tail;
}

/** As few values leave open where their mean is: two standard errors above it. */
function upperMean(values: readonly number[]): number {
  return meanOf(values) + 2 * Math.sqrt(variance(values) / values.length);
}

/** Whether honest checks would add to the evidence in the long run. */
function rises(checks: readonly (readonly number[])[], tail: HonestTail): boolean {
  return meanOf(checks.map((check) => Math.exp(gainOf(deviationOf(check, tail))))) > 1;
}

/** An image's steps as checks of three, early, middle and late. */
function threes(ratios: readonly number[]): number[][] {
  const third = Math.floor(ratios.length / 3);
  return Array.from({ length: third }, (_, i) => [0, 1, 2].map((k) => ratios[i + k * third]));
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function variance(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return squares / Math.max(values.length - 1, 1);
}
