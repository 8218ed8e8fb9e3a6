import { type Tolerance, toleranceAt } from "../../core/verification/mod.ts";
import type { StepAgreement } from "./agreement.ts";

/** How honest steps fare under tolerances that were not fitted to them. */
export interface HeldOut {
  /** Between different engines: an engine agrees with itself. */
  readonly checks: number;
  /** Those further apart than their tolerance. */
  readonly rejected: number;
  /** The largest velocity error over its tolerance. */
  readonly worst: number;
}

/** @param precisionOf whose tolerance holds for a step. */
export function checkSteps(
  steps: readonly StepAgreement[],
  tolerances: readonly Tolerance[],
  precisionOf: (step: StepAgreement) => Tolerance["precision"],
): HeldOut {
  const ratios = steps.filter(({ maker, checker }) => maker !== checker).flatMap((step) => {
    const table = tolerances.find(({ precision }) => precision === precisionOf(step));
    return table ? step.velocityError / toleranceAt(table, { alpha: 1, sigma: step.noise }) : [];
  });
  return {
    checks: ratios.length,
    rejected: ratios.filter((ratio) => !(ratio <= 1)).length,
    worst: Math.max(0, ...ratios),
  };
}

export function checkLine({ checks, rejected, worst }: HeldOut): string {
  return `${rejected} of ${checks} honest step checks rejected; ` +
    `the largest error is ${worst.toPrecision(2)} of its tolerance`;
}
