/**
 * A sequential test over one miner's checks: errors that each stay below their tolerance, and together
 * are larger than honest machines' are. It is Page's CUSUM of a log-likelihood ratio, on checks and not
 * on steps, since the steps of one image are correlated.
 *
 * @see Page, Continuous inspection schemes, Biometrika 41 (1954); Lorden, Ann. Math. Statist. 42 (1971).
 */

/** The null: how far honest images of one backend and precision are from their tolerances. */
export interface HonestTail {
  /** Mean of log(velocity error / tolerance). */
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
  { mean, between, within }: HonestTail,
): number {
  // Steps that agree to the bit, as between two machines of one kind, must not hide the others.
  const least = mean + BOUNDS.least * Math.hypot(between, within);
  const own = meanOf(ratios.map((ratio) => Math.max(logRatio(ratio), least)));
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

/** An honest image that was checked on another machine. */
export interface HonestImage {
  /** Of request: solvers differ by more than images of one solver do, and users may ask for one alone. */
  readonly kind: string;
  /** Velocity error over tolerance of each step; three at least. */
  readonly ratios: readonly number[];
}

/** At least so far apart are honest images: a new driver moves their errors by as much. */
const MIN_BETWEEN = 0.25;
const WIDENING = 1.05;

/**
 * The null from honest images: the mean of the kind that is furthest off, and the spread within kinds,
 * widened until e^gain of a check of three steps is 1 at most on average in every kind by itself. Tails
 * that are heavier than normal widen it.
 */
export function fitHonestTail(images: readonly HonestImage[]): HonestTail {
  const kinds = [...Map.groupBy(images, ({ kind }) => kind).values()]
    .map((own) => own.map(({ ratios }) => ratios));
  const logs = kinds.map((own) => own.map((ratios) => ratios.map(logRatio)));
  const within = Math.sqrt(meanOf(logs.flat().map(upperVariance)));
  const medians = logs.map((own) => own.map(medianOf));
  const apart = meanOf(medians.map(variance));
  // As few images leave open where a mean is.
  const highest = medians.map((own) => meanOf(own) + 2 * Math.sqrt(variance(own) / own.length));
  const [mean, between] = [Math.max(...highest), Math.sqrt(Math.max(apart, MIN_BETWEEN ** 2))];
  const checks = kinds.map((own) => own.flatMap(threes));
  let tail = { mean, between, within };
  while (checks.some((own) => rises(own, tail))) {
    tail = { mean, between: tail.between * WIDENING, within: tail.within * WIDENING };
  }
  return tail;
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

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Above the median: below it errors reach down to the zero of machines that agreed to the bit. */
function upperVariance(values: readonly number[]): number {
  const median = medianOf(values);
  return meanOf(values.filter((value) => value >= median).map((value) => (value - median) ** 2));
}

function variance(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return squares / Math.max(values.length - 1, 1);
}
