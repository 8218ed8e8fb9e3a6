import { AppError } from "../../core/error.ts";
import type { Tolerance } from "../../core/model/mod.ts";
import { toleranceAt } from "../../core/verifier/mod.ts";
import type { StepAgreement } from "./agreement.ts";

/** How honest steps fare under tolerances that were not fitted to them. */
export interface HeldOut {
  /** Between different engines: an engine agrees with itself. */
  readonly checks: number;
  /** Those further apart than their tolerance. */
  readonly rejected: number;
  /** The largest velocity error over its tolerance. */
  readonly worst: number;
  /** How many of the checks were by which tolerances. */
  readonly byPrecision: Readonly<Record<Tolerance["precision"], number>>;
}

/**
 * @throws AppError `invalid_request` where nothing can be checked: one machine alone, or no
 * tolerances for a precision.
 */
export function checkSteps(
  steps: readonly StepAgreement[],
  tolerances: readonly Tolerance[],
): HeldOut {
  const apart = steps.filter(({ maker, checker }) => maker !== checker);
  if (apart.length === 0) refuse("no step was made on one machine and checked on another");
  const ratios = apart.map(({ precision, velocityError, noise }) => {
    const table = tolerances.find((each) => each.precision === precision) ??
      refuse(`the catalogue has no tolerances for ${precision}`);
    return velocityError / toleranceAt(table, { alpha: 1, sigma: noise });
  });
  const count = (precision: Tolerance["precision"]) =>
    apart.filter((step) => step.precision === precision).length;
  return {
    checks: ratios.length,
    rejected: ratios.filter((ratio) => !(ratio <= 1)).length,
    worst: ratios.reduce((max, ratio) => Math.max(max, ratio), 0),
    byPrecision: { float32: count("float32"), float16: count("float16") },
  };
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot check tolerances: ${why}`);
}

export function checkLine({ checks, rejected, worst, byPrecision }: HeldOut): string {
  return `${rejected} of ${checks} honest step checks rejected (${byPrecision.float32} in float32, ` +
    `${byPrecision.float16} with float16); the largest error is ${worst.toPrecision(2)} of its ` +
    "tolerance";
}
