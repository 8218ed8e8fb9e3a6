import { positiveCumulativeAlphas } from "./betas.ts";
import type {
  BetaSettings,
  EulerAncestralSettings,
  EulerSettings,
  TimestepSettings,
} from "./config.ts";
import { interpolate, linspaceFloat32 } from "./grid.ts";
import {
  denoisedWeights,
  type Plan,
  type PlanRow,
  planRow,
  type PredictionType,
  type StepWeights,
} from "./plan.ts";
import { exp, log } from "./portable_math.ts";
import {
  logSigmas,
  refuseSeveralShapes,
  shapedSigmas,
  sigmaToTimestep,
  trainingSigmas,
} from "./sigmas.ts";
import { evenStops, evenTimesteps } from "./timesteps.ts";

/**
 * Euler's method where x = x0 + sigma * eps, so that dx/dsigma = (x - D) / sigma.
 * @see https://arxiv.org/abs/2206.00364, algorithm 2 without churn.
 */

const f32 = Math.fround;

export function planEuler(settings: EulerSettings, steps: number): Plan {
  refuseSeveralShapes(settings);
  const training = trainingSigmas(positiveCumulativeAlphas(settings));
  const even = evenTimesteps(settings, steps).map(f32);
  const interpolated = (timesteps: readonly number[]) =>
    settings.interpolation_type === "linear"
      ? timesteps.map((timestep) => interpolate(training, f32(timestep)))
      : logLinearSigmas(training, steps);
  const shaped = shapedSigmas(settings, interpolated(evenStops(settings, steps)), steps);
  const last = settings.final_sigmas_type === "zero" ? 0 : training[0];
  const sigmas = [...(shaped ?? interpolated(even)), last].map(f32);
  const timesteps = networkTimesteps(settings, even, training, shaped, sigmas);
  return {
    solver: "EulerDiscreteScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    sigmas,
    initialScale: initialScale(settings, sigmas),
    rows: timesteps.map((timestep, i) =>
      explodingRow(settings.prediction_type, timestep, sigmas[i], towards(sigmas[i], sigmas[i + 1]))
    ),
  };
}

/** Euler down to sigmaDown, then fresh noise up to the next sigma. */
export function planEulerAncestral(settings: EulerAncestralSettings, steps: number): Plan {
  const training = trainingSigmas(positiveCumulativeAlphas(settings));
  const timesteps = evenTimesteps(settings, steps).map(f32);
  const sigmas = [...timesteps.map((timestep) => interpolate(training, timestep)), 0].map(f32);
  return {
    solver: "EulerAncestralDiscreteScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    sigmas,
    initialScale: initialScale(settings, sigmas),
    rows: timesteps.map((timestep, i) =>
      explodingRow(
        settings.prediction_type,
        timestep,
        sigmas[i],
        ancestral(sigmas[i], sigmas[i + 1]),
      )
    ),
  };
}

function towards(sigma: number, next: number): StepWeights {
  return { states: [next / sigma], denoised: [1 - next / sigma] };
}

/** sigmaDown^2 + sigmaUp^2 = next^2, as much noise as the forward process would have added. */
function ancestral(sigma: number, next: number): StepWeights {
  const up = next * Math.sqrt(Math.max(1 - (next / sigma) * (next / sigma), 0));
  const down = Math.min(next * next / sigma, next);
  return { ...towards(sigma, down), noise: up };
}

function explodingRow(
  type: PredictionType,
  timestep: number,
  sigma: number,
  next: StepWeights,
): PlanRow {
  const inScale = 1 / Math.sqrt(sigma * sigma + 1);
  // The network's own scale is variance preserving: its input is inScale * x.
  const { fromX, fromOut } = denoisedWeights(type, { alpha: inScale, sigma: sigma * inScale });
  return planRow({ timestep, alpha: 1, sigma, inScale, fromX: fromX * inScale, fromOut }, next);
}

/** One more than the steps: its last is left out of the walk, as diffusers does. */
function logLinearSigmas(training: readonly number[], steps: number): number[] {
  const logs = logSigmas(training);
  return linspaceFloat32(logs[logs.length - 1], logs[0], steps + 1).map((logSigma) =>
    f32(exp(logSigma))
  );
}

function networkTimesteps(
  settings: EulerSettings,
  even: readonly number[],
  training: readonly number[],
  shaped: readonly number[] | undefined,
  sigmas: readonly number[],
): readonly number[] {
  if (settings.timestep_type === "continuous" && settings.prediction_type === "v_prediction") {
    return sigmas.slice(0, -1).map((sigma) => f32(0.25 * f32(log(sigma))));
  }
  if (shaped === undefined) return even;
  const logs = logSigmas(training);
  return shaped.map((sigma) => f32(sigmaToTimestep(sigma, logs)));
}

/** The standard deviation of x at the first sigma; "leading" counts the image's own as well. */
function initialScale(
  settings: BetaSettings & TimestepSettings,
  sigmas: readonly number[],
): number {
  const largest = Math.max(...sigmas);
  return settings.timestep_spacing === "leading"
    ? f32(Math.sqrt(f32(f32(largest * largest) + 1)))
    : largest;
}
