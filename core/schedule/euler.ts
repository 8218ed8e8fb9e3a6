import { positiveCumulativeAlphas } from "./betas.ts";
import type { EulerAncestralSettings, EulerSettings } from "./config.ts";
import { explodingRow, explodingSchedule, initialScale, towards } from "./exploding.ts";
import { interpolate } from "./grid.ts";
import type { Plan, StepWeights } from "./plan.ts";
import { trainingSigmas } from "./sigmas.ts";
import { evenTimesteps } from "./timesteps.ts";

const f32 = Math.fround;

/** @see https://arxiv.org/abs/2206.00364, algorithm 2 without churn, by Euler's method. */
export function planEuler(settings: EulerSettings, steps: number): Plan {
  const { timesteps, sigmas, initialScale } = explodingSchedule(settings, steps);
  const type = settings.prediction_type;
  return {
    solver: "EulerDiscreteScheduler",
    predictionType: type,
    timesteps,
    sigmas,
    initialScale,
    rows: timesteps.map((timestep, i) =>
      explodingRow(type, timestep, sigmas[i], towards(sigmas[i], sigmas[i + 1]))
    ),
  };
}

/** Euler down to sigmaDown, then fresh noise up to the next sigma. */
export function planEulerAncestral(settings: EulerAncestralSettings, steps: number): Plan {
  const training = trainingSigmas(positiveCumulativeAlphas(settings));
  const timesteps = evenTimesteps(settings, steps).map(f32);
  const sigmas = [...timesteps.map((timestep) => interpolate(training, timestep)), 0].map(f32);
  const type = settings.prediction_type;
  return {
    solver: "EulerAncestralDiscreteScheduler",
    predictionType: type,
    timesteps,
    sigmas,
    initialScale: initialScale(settings, sigmas),
    rows: timesteps.map((timestep, i) =>
      explodingRow(type, timestep, sigmas[i], ancestral(sigmas[i], sigmas[i + 1]))
    ),
  };
}

function ancestral(sigma: number, next: number): StepWeights {
  const { down, up } = ancestralSigmas(sigma, next);
  return { ...towards(sigma, down), noise: up };
}

/** down^2 + up^2 = next^2, with up as much noise as the forward process would have added. */
export function ancestralSigmas(sigma: number, next: number): { down: number; up: number } {
  const up = next * Math.sqrt(Math.max(1 - (next / sigma) * (next / sigma), 0));
  return { up, down: Math.min(next * next / sigma, next) };
}
