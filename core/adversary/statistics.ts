import { steeredCatchRate } from "../verifier/mod.ts";
import type { ExaminedStep } from "./examine.ts";

/** A point of a ROC curve: what is flagged of honest and of cheated steps at one threshold. */
export interface RocPoint {
  readonly falsePositives: number;
  readonly truePositives: number;
}

/**
 * All thresholds of "a larger value is a cheat", from none flagged to all.
 * @returns rising; equal values are one point, and of points on a straight line only its ends.
 */
export function rocCurve(honest: readonly number[], cheated: readonly number[]): RocPoint[] {
  const values = [
    ...honest.map((value) => ({ value, cheat: false })),
    ...cheated.map((value) => ({ value, cheat: true })),
  ].sort((a, b) => b.value < a.value ? -1 : 1);
  const points: RocPoint[] = [{ falsePositives: 0, truePositives: 0 }];
  const flagged = { honest: 0, cheated: 0 };
  for (const [k, { value, cheat }] of values.entries()) {
    if (cheat) flagged.cheated++;
    else flagged.honest++;
    if (values[k + 1]?.value === value) continue;
    points.push({
      falsePositives: flagged.honest / honest.length,
      truePositives: flagged.cheated / cheated.length,
    });
  }
  return points.filter((point, k) => isCorner(points[k - 1], point, points[k + 1]));
}

function isCorner(
  before: RocPoint | undefined,
  { falsePositives, truePositives }: RocPoint,
  after: RocPoint | undefined,
): boolean {
  if (!before || !after) return true;
  const upright = before.falsePositives === after.falsePositives;
  const level = before.truePositives === after.truePositives;
  return !(upright && falsePositives === before.falsePositives) &&
    !(level && truePositives === before.truePositives);
}

/** Area under the curve: how often a cheated step has the larger value. */
export function areaUnder(curve: readonly RocPoint[]): number {
  return curve.slice(1).reduce((area, { falsePositives, truePositives }, k) => {
    const before = curve[k];
    const width = falsePositives - before.falsePositives;
    return area + width * (truePositives + before.truePositives) / 2;
  }, 0);
}

/**
 * The probability that a run passes when so many of its steps are drawn as `drawSteered` draws.
 * @param oddest of its steps.
 */
export function passRate(
  sights: readonly Pick<ExaminedStep, "index" | "flagged">[],
  drawn: number,
  oddest: number,
): number {
  const flagged = sights.filter((step) => step.flagged).map(({ index }) => index);
  return 1 - steeredCatchRate(sights.length, Math.min(drawn, sights.length), oddest, flagged);
}

/** Subnet 30's rule's: the least of three cosines, put to 0..1, has to reach this. */
const OLDER_THRESHOLD = 0.85;
const OLDER_DRAWN = 3;

/** The probability that Subnet 30's rule passes a run: three steps drawn evenly, none below. */
export function olderPassRate(sights: readonly Pick<ExaminedStep, "latentCosine">[]): number {
  const passing =
    sights.filter(({ latentCosine }) => latentCosine * 0.5 + 0.5 >= OLDER_THRESHOLD).length;
  let rate = 1;
  for (let k = 0; k < Math.min(OLDER_DRAWN, sights.length); k++) {
    rate *= Math.max(0, passing - k) / (sights.length - k);
  }
  return rate;
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a < b ? -1 : 1);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export function mean(values: readonly number[]): number {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : NaN;
}
