import { logNormalTail } from "../verifier/mod.ts";
import type { ExaminedStep } from "./examine.ts";

/** How often a check of one image may be wrong about an honest miner. */
export const FALSE_REJECTS = 1e-4;
/** Steps on either side whose errors count for a step as well: one step's alone are too few. */
const REACH = 2;

/** By the number of steps drawn, of each step. */
export type Thresholds = ByDrawn<readonly number[]>;

/** A figure by the number of steps that a check draws. */
export type ByDrawn<T> = Readonly<Record<1 | 3 | 5, T>>;

/**
 * Of each step the velocity error above which it is flagged, so that a check of 1, 3 or 5 steps
 * rejects an honest image with probability 1e-4: by a log-normal tail, and never below an error
 * that was seen.
 * @param honest steps of honest runs that were made on another machine than the checker's.
 * @returns undefined where there are none, or none that differ.
 */
export function thresholdsOf(
  honest: readonly ExaminedStep[],
  steps: number,
): Thresholds | undefined {
  if (!honest.some(({ velocityError }) => velocityError > 0)) return undefined;
  const of = (drawn: number) => thresholdsFor(drawn, honest, steps);
  return { 1: of(1), 3: of(3), 5: of(5) };
}

function thresholdsFor(drawn: number, honest: readonly ExaminedStep[], steps: number): number[] {
  const deviations = normalQuantile(1 - (1 - FALSE_REJECTS) ** (1 / drawn));
  return Array.from({ length: steps }, (_, i) => {
    const near = honest.filter(({ index }) => Math.abs(index - i) <= REACH);
    const errors = near.map(({ velocityError }) => velocityError);
    return Math.max(logNormalTail(errors, deviations), ...errors);
  });
}

/**
 * z with P(Z > z) = p of a standard normal Z, for p up to 0.5; off by 4.5e-4 at most.
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23.
 */
function normalQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  return t - above / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}
