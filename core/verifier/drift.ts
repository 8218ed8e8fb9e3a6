import { meanOf } from "./mean.ts";

/**
 * A sequential test over one miner's checks: errors that each stay below their tolerance, and together
 * are larger than honest machines' are. It is Page's CUSUM of a log-likelihood ratio.
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
  /** Standard deviation of images' means around theirs, and of an image's steps around its own. */
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

/**
 * What a check is held against: a miner that is less precise at each step with this probability, and then
 * by so many standard deviations of a step. Half of the steps: who is less precise at all of
 * them is found nearly as soon, and who is at every second one sooner than by the mean of a check.
 */
const ALTERED = { share: 0.5, shift: 2 } as const;
/**
 * Gains of a check are held between these: a single check weighs little, however far off, and a miner that
 * is honest at some images gains less by them than it loses at the others.
 */
const GAINS = { least: -2, most: 4.7 } as const;
/** A step's own are: honest errors have heavier tails than a normal distribution. */
const MOST_DEVIATIONS = 3;
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

/** Standard deviation of a normal deviate that is held at its mean from below, over its own. */
const HELD_DEVIATION = 0.584;
/** In nats. Steps that agree to the bit have none. */
const MIN_DEVIATION = 0.05;

/**
 * The standard deviation of an honest step. `floor` is the middle of them, and `within` is of what is held
 * there.
 */
function deviationOf({ within }: HonestTail): number {
  return Math.max(within / HELD_DEVIATION, MIN_DEVIATION);
}

/**
 * How much likelier a check is from a miner that is less precise than from an honest one: the logarithm of
 * the ratio, in nats, of its steps together. Below the floor all steps are alike: those that agree to the
 * bit hide no others. Since the steps of an image, and the images of a driver, are off together, all are taken to be as far
 * off as one image in six is, by {@link HonestTail.between}.
 * @param ratios velocity error over tolerance of its steps.
 */
export function gainOf(ratios: readonly number[], tail: HonestTail): number {
  const deviation = deviationOf(tail);
  const gains = ratios.map((ratio) =>
    stepGain((logRatio(ratio) - tail.floor - tail.between) / deviation)
  );
  return heldBetween(gains.reduce((sum, gain) => sum + gain, 0));
}

/** The distribution function of the normal distribution at -ALTERED.shift, over that at 0. */
const AT_FLOOR = 0.02275 / 0.5;

function stepGain(deviations: number): number {
  const { share, shift } = ALTERED;
  const held = Math.min(deviations, MOST_DEVIATIONS);
  const likelihood = held <= 0 ? AT_FLOOR : Math.exp(shift * held - shift ** 2 / 2);
  return Math.log(1 - share + share * likelihood);
}

function heldBetween(gain: number): number {
  return Math.min(Math.max(gain, GAINS.least), GAINS.most);
}

/** @param gains of a miner's checks, the oldest first. */
export function driftOf(gains: Iterable<number>): Drift {
  let [sum, drifting] = [0, false];
  for (const gain of gains) {
    // Held at the threshold, so that newer honest checks end it however long it lasted.
    sum = Math.min(Math.max(sum + heldBetween(gain), 0), THRESHOLD);
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
  const within = Math.sqrt(meanOf(held.map(variance)));
  const between = Math.sqrt(Math.max(variance(means), MIN_BETWEEN ** 2));
  const checks = images.flatMap(threes);
  let tail = { floor, between, within };
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
  return meanOf(checks.map((check) => Math.exp(gainOf(check, tail)))) > 1;
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
