import type { LmsSettings } from "./config.ts";
import { explodingRow, plainSchedule } from "./exploding.ts";
import type { Plan, StepWeights } from "./plan.ts";

/** Derivatives that a step combines; diffusers' default, which its pipelines leave as it is. */
const ORDER = 4;

/**
 * Linear multistep: dx/dsigma as the polynomial through its last values, integrated exactly.
 * @see https://github.com/crowsonkb/k-diffusion, sample_lms.
 */
export function planLms(settings: LmsSettings, steps: number, begin = 0): Plan {
  const { timesteps, sigmas, initialScale } = plainSchedule(settings, steps);
  const type = settings.prediction_type;
  return {
    solver: "LMSDiscreteScheduler",
    predictionType: type,
    timesteps,
    sigmas,
    initialScale,
    rows: timesteps.map((timestep, i) =>
      explodingRow(type, timestep, sigmas[i], step(sigmas, i, begin))
    ),
  };
}

/** The derivative at sigma is (x - D) / sigma. */
function step(sigmas: readonly number[], i: number, begin: number): StepWeights {
  // Steps before the first are not taken.
  const oldest = Math.min(Math.max(i - ORDER + 1, begin), i);
  const last = sigmas.slice(oldest, i + 1).reverse();
  // A repeated noise level says nothing new: the order ends there.
  const known = last.filter((_, k) => new Set(last.slice(0, k + 1)).size === k + 1);
  const shares = known.map((sigma, age) =>
    basisIntegral(known, age, sigmas[i], sigmas[i + 1]) / sigma
  );
  return {
    states: shares.map((share, age) => (age === 0 ? 1 : 0) + share),
    denoised: shares.map((share) => -share),
  };
}

/**
 * Integral of the polynomial that is 1 at `knots[k]` and 0 at the others. Gauss' rule of two points
 * is exact to the third degree, which is the highest here.
 */
function basisIntegral(knots: readonly number[], k: number, from: number, to: number): number {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  const offset = half / Math.sqrt(3);
  return half * (basis(knots, k, middle - offset) + basis(knots, k, middle + offset));
}

function basis(knots: readonly number[], k: number, x: number): number {
  return knots.reduce(
    (product, knot, j) => j === k ? product : product * (x - knot) / (knots[k] - knot),
    1,
  );
}
