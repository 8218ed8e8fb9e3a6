import { AppError } from "../error.ts";
import type { TimestepSettings } from "./config.ts";
import { linspace, roundHalfEven } from "./grid.ts";

/** Training steps to stop at. @see https://arxiv.org/abs/2305.08891, table 2, for the spacings. */

/**
 * One stop a step, the last at or near training step 0: Euler and DDIM.
 * @returns Falling; not rounded for "linspace".
 */
export function evenTimesteps(settings: TimestepSettings, steps: number): number[] {
  return evenStops(settings, steps).filter(isTrained);
}

/** As above, with the stop below training step 0 that "trailing" has at a few step counts. */
export function evenStops(settings: TimestepSettings, steps: number): number[] {
  const count = settings.num_train_timesteps;
  switch (settings.timestep_spacing) {
    case "linspace":
      return linspace(0, count - 1, steps).reverse();
    case "leading":
      return leading(Math.floor(count / steps), steps, settings.steps_offset);
    case "trailing":
      return trailing(count, count / steps);
    default:
      return settings.timestep_spacing satisfies never;
  }
}

/**
 * The stops of a grid of one more, whose last, near training step 0, is where the last step ends:
 * the multistep solvers.
 * @param end Training steps in use, at most num_train_timesteps.
 * @throws AppError `invalid_request` when "leading" has no training step for each stop.
 */
export function multistepTimesteps(
  settings: TimestepSettings,
  steps: number,
  end: number,
): number[] {
  switch (settings.timestep_spacing) {
    case "linspace":
      return linspace(0, end - 1, steps + 1).map(roundHalfEven).reverse().slice(0, -1);
    case "leading":
      refuseStandstill(steps, end);
      return leading(Math.floor(end / (steps + 1)), steps + 1, settings.steps_offset).slice(0, -1);
    case "trailing":
      return trailing(end, settings.num_train_timesteps / steps).filter(isTrained);
    default:
      return settings.timestep_spacing satisfies never;
  }
}

function refuseStandstill(steps: number, end: number): void {
  if (steps >= end) {
    throw new AppError(
      "invalid_request",
      `Cannot plan the denoising: steps is ${steps}, must be at most ${end - 1} with this model, ` +
        "whose timesteps stand still otherwise",
    );
  }
}

function leading(ratio: number, count: number, offset: number): number[] {
  return Array.from({ length: count }, (_, i) => (count - 1 - i) * ratio + offset);
}

/** Where rounding makes the ratio too small by a last bit, one more stop than steps: below 0. */
function trailing(end: number, ratio: number): number[] {
  const second = end - ratio;
  const count = Math.ceil(end / ratio);
  return Array.from({ length: count }, (_, i) => roundHalfEven(end + i * (second - end)) - 1);
}

function isTrained(timestep: number): boolean {
  return timestep >= 0;
}
