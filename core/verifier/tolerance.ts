import type { Tolerance } from "../model/mod.ts";
import type { PlanRow } from "../schedule/mod.ts";
import { defaultTolerance, type Guidance } from "./defaults.ts";

/** What steps are held against. */
export interface ToleranceChoice {
  readonly table: Tolerance;
  readonly origin: "catalogue" | "default";
}

/**
 * The model's own for a precision, or else the stated defaults.
 * @param guidance of the request, by which these are.
 */
export function toleranceFor(
  precision: Tolerance["precision"],
  tolerances: readonly Tolerance[],
  guidance: Guidance,
): ToleranceChoice {
  const own = tolerances.find((each) => each.precision === precision);
  if (own) return { table: own, origin: "catalogue" };
  return { table: defaultTolerance(precision, guidance), origin: "default" };
}

/** The velocity error that an honest step may have; outside the table that of its nearest end. */
export function toleranceAt(
  { points }: Tolerance,
  { alpha, sigma }: Pick<PlanRow, "alpha" | "sigma">,
): number {
  const noise = sigma / alpha;
  const above = points.findIndex((each) => each.noise >= noise);
  if (above === 0) return points[0].tolerance;
  if (above < 0) return points[points.length - 1].tolerance;
  const [low, high] = [points[above - 1], points[above]];
  const share = Math.log(noise / low.noise) / Math.log(high.noise / low.noise);
  return low.tolerance * (high.tolerance / low.tolerance) ** share;
}
