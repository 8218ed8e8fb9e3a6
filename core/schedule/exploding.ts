import { positiveCumulativeAlphas } from "./betas.ts";
import type { BetaSettings, EulerSettings, ShapeSettings, TimestepSettings } from "./config.ts";
import { interpolate, linspaceFloat32 } from "./grid.ts";
import {
  denoisedWeights,
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

/** Solvers where x = x0 + sigma * eps, so that dx/dsigma = (x - D) / sigma. */

const f32 = Math.fround;

/** Settings that all have. */
type SharedSettings = BetaSettings & TimestepSettings & ShapeSettings;

/** N noise levels and the last, and what the network is told at each of the N. All f32-valued. */
export interface ExplodingSchedule {
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
  /** The standard deviation of x at the first sigma; "leading" counts the image's own as well. */
  readonly initialScale: number;
  /** Of each training step, rising. */
  readonly training: readonly number[];
}

/** Settings of Euler's that the other solvers do not have, as they take them for granted. */
const PLAIN = {
  rescale_betas_zero_snr: false,
  final_sigmas_type: "zero",
  interpolation_type: "linear",
  timestep_type: "discrete",
} as const;

/** The schedule of a solver that has no more settings than all have. */
export function plainSchedule(
  settings: Omit<SharedSettings, "rescale_betas_zero_snr"> & {
    readonly prediction_type: EulerSettings["prediction_type"];
  },
  steps: number,
): ExplodingSchedule {
  return explodingSchedule({ ...settings, ...PLAIN }, steps);
}

export function explodingSchedule(
  settings: SharedSettings & Omit<EulerSettings, keyof ShapeSettings>,
  steps: number,
): ExplodingSchedule {
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
  return { timesteps, sigmas, initialScale: initialScale(settings, sigmas), training };
}

/** One more than the steps: its last is left out of the walk, as diffusers does. */
function logLinearSigmas(training: readonly number[], steps: number): number[] {
  const logs = logSigmas(training);
  return linspaceFloat32(logs[logs.length - 1], logs[0], steps + 1).map((logSigma) =>
    f32(exp(logSigma))
  );
}

function networkTimesteps(
  settings: Pick<EulerSettings, "timestep_type" | "prediction_type">,
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

export function initialScale(
  settings: Pick<TimestepSettings, "timestep_spacing">,
  sigmas: readonly number[],
): number {
  const largest = Math.max(...sigmas);
  return settings.timestep_spacing === "leading"
    ? f32(Math.sqrt(f32(f32(largest * largest) + 1)))
    : largest;
}

/** Euler's step: along the derivative at sigma, to the next. */
export function towards(sigma: number, next: number): StepWeights {
  return { states: [next / sigma], denoised: [1 - next / sigma] };
}

export function explodingRow(
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
