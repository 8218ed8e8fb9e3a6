import { counted } from "../../core/counted.ts";
import { AppError } from "../../core/error.ts";
import type { Tolerance } from "../../core/model/mod.ts";
import { logNormalTail } from "../../core/verifier/mod.ts";

/** An honest step: how noisy its state is, and how far two machines are apart on it. */
export interface HonestStep {
  /** sigma / alpha */
  readonly noise: number;
  readonly velocityError: number;
}

/** Knots of a table. Each is fitted to the steps between its neighbours. */
const POINTS = 9;
/** Standard deviations of the error's logarithm above its median: 3e-7 of a normal tail. */
const DEVIATIONS = 5;
/**
 * The fitted tail is clamped to these multiples of the largest error seen: a few steps say
 * little of a tail, and an error is then a handful of roundings, not a normal deviate.
 */
const MARGINS = { min: 3, max: 8 } as const;
/** An error of this size is one float16 rounding that fell to the other side in a small latent. */
const MIN_TOLERANCE = 1e-3;

/**
 * The tolerance that honest steps stay below: at each knot a log-normal tail fitted to the steps
 * around it, three to eight times the largest error seen there.
 * @throws AppError `invalid_request` with fewer steps than can be fitted.
 */
export function fitTolerance(
  steps: readonly HonestStep[],
  precision: Tolerance["precision"],
): Tolerance {
  const sorted = steps.filter(({ noise }) => noise > 0).toSorted((a, b) => a.noise - b.noise);
  if (sorted.length < 2 * POINTS) {
    throw new AppError(
      "invalid_request",
      `Cannot fit a tolerance: ${counted(sorted.length, "step")} are too few, ${
        2 * POINTS
      } are needed`,
    );
  }
  const noises = knots(sorted[0].noise, sorted[sorted.length - 1].noise);
  const points = noises.map((noise, k) => {
    const [low, high] = [noises[Math.max(k - 1, 0)], noises[Math.min(k + 1, POINTS - 1)]];
    const around = sorted.filter((step) => step.noise >= low && step.noise <= high);
    return { noise, tolerance: tail(around.map(({ velocityError }) => velocityError)) };
  });
  return { precision, points };
}

/** Evenly spaced in the logarithm. */
function knots(low: number, high: number): number[] {
  return Array.from({ length: POINTS }, (_, k) => low * (high / low) ** (k / (POINTS - 1)));
}

/** The largest that an honest error can be, by those seen, to three digits. */
function tail(errors: readonly number[]): number {
  const seen = Math.max(...errors, 0);
  const fitted = logNormalTail(errors, DEVIATIONS);
  const held = Math.min(Math.max(fitted, MARGINS.min * seen), MARGINS.max * seen);
  return Number(Math.min(Math.max(held, MIN_TOLERANCE) * 1.005, 2).toPrecision(3));
}
