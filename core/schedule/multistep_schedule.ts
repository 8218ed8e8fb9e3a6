import { positiveCumulativeAlphas } from "./betas.ts";
import { type MultistepSettings, refuse, type TimestepSettings } from "./config.ts";
import { linspace, roundHalfEven } from "./grid.ts";
import type { Marginal } from "./plan.ts";
import { exp, log } from "./portable_math.ts";
import { shiftedSigmas, stretchedToTerminal } from "./shift.ts";
import {
  logSigmas,
  refuseSeveralShapes,
  shapedSigmas,
  sigmaToTimestep,
  trainingSigmas,
} from "./sigmas.ts";
import { multistepTimesteps } from "./timesteps.ts";

const f32 = Math.fround;

/** lambda = log(alpha / sigma), infinite where sigma is 0. */
export interface Node extends Marginal {
  readonly lambda: number;
}

/** Where a multistep solver stops: N timesteps and N + 1 noise levels. */
interface Schedule {
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
  readonly nodes: readonly Node[];
}

/** Timesteps with their sigmas; `last` is where `final_sigmas_type` "sigma_min" ends. */
interface Stops {
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
  readonly last: number;
}

/** @param mu The shift that depends on the image's size, where `use_dynamic_shifting` asks for it. */
export function dpmSchedule(
  settings: MultistepSettings & {
    readonly use_lu_lambdas: boolean;
    readonly lambda_min_clipped: number;
  },
  steps: number,
  mu: number | undefined,
): Schedule {
  refuseMixedSigmas(settings, settings.use_karras_sigmas || settings.use_lu_lambdas);
  const cumulative = positiveCumulativeAlphas(settings);
  const training = trainingSigmas(cumulative);
  const rounding = settings.beta_schedule === "squaredcos_cap_v2" ? Math.trunc : roundHalfEven;
  const end = training.length - clippedCount(cumulative, settings.lambda_min_clipped);
  // In diffusers lu's spacing gives way to Karras' and goes before the other shapes.
  const lu = settings.use_lu_lambdas && !settings.use_karras_sigmas;
  const stops = (lu ? luStops(training, steps, rounding) : undefined) ??
    shapedStops(settings, training, steps, rounding) ??
    (settings.use_flow_sigmas ? reversedFlowStops(settings, steps, mu) : undefined) ??
    trainingStops(settings, training, steps, end);
  return schedule(settings, { ...stops, last: training[0] });
}

/** As above, for DEIS, which ends at the lowest training sigma, or repeats a shaped schedule's last. */
export function deisSchedule(
  settings: PlainSettings,
  steps: number,
  mu: number | undefined,
): Schedule {
  const plain = { ...settings, ...PLAIN, final_sigmas_type: "sigma_min" } as const;
  refuseMixedSigmas(plain, plain.use_karras_sigmas);
  const training = trainingSigmas(positiveCumulativeAlphas(plain));
  if (plain.use_flow_sigmas) {
    const stops = reversedFlowStops(plain, steps, mu);
    return schedule(plain, { ...stops, last: stops.sigmas[steps - 1] });
  }
  const stops = shapedStops(plain, training, steps, roundHalfEven) ??
    trainingStops(plain, training, steps, training.length);
  return schedule(plain, stops);
}

/** As above, for DPM-Solver in blocks, whose training steps are always evenly spaced. */
export function singlestepSchedule(
  settings: Omit<PlainSettings, keyof TimestepSettings> & {
    readonly num_train_timesteps: number;
    readonly final_sigmas_type: MultistepSettings["final_sigmas_type"];
    readonly lambda_min_clipped: number;
  },
  steps: number,
  mu: number | undefined,
): Schedule {
  const plain = { ...settings, ...PLAIN, timestep_spacing: "linspace", steps_offset: 0 } as const;
  refuseMixedSigmas(plain, plain.use_karras_sigmas);
  const cumulative = positiveCumulativeAlphas(plain);
  const training = trainingSigmas(cumulative);
  const end = training.length - clippedCount(cumulative, plain.lambda_min_clipped);
  const stops = shapedStops(plain, training, steps, roundHalfEven) ??
    (plain.use_flow_sigmas ? reversedFlowStops(plain, steps, mu) : undefined) ??
    trainingStops(plain, training, steps, end);
  return schedule(plain, { ...stops, last: training[0] });
}

/** Settings that the others do not have. */
const PLAIN = {
  rescale_betas_zero_snr: false,
  sigma_min: undefined,
  sigma_max: undefined,
  shift_terminal: undefined,
} as const;

type PlainSettings = Omit<MultistepSettings, keyof typeof PLAIN | "final_sigmas_type">;

/** As above, for UniPC, whose flow sigmas and last sigma differ. */
export function uniPcSchedule(
  settings: MultistepSettings,
  steps: number,
  mu: number | undefined,
): Schedule {
  refuseMixedSigmas(settings, false);
  const training = trainingSigmas(positiveCumulativeAlphas(settings));
  if (settings.use_flow_sigmas) return schedule(settings, flowStops(settings, training, steps, mu));
  const stops = shapedStops(settings, training, steps, roundHalfEven) ??
    trainingStops(settings, training, steps, training.length);
  return schedule(settings, stops);
}

function schedule(settings: MultistepSettings, stops: Stops): Schedule {
  const timesteps = stops.timesteps.map(Math.trunc);
  const last = settings.final_sigmas_type === "zero" ? 0 : stops.last;
  const sigmas = [...stops.sigmas, last].map(f32);
  const nodes = sigmas.map((sigma) => node(sigma, settings.use_flow_sigmas));
  return { timesteps, sigmas, nodes };
}

/** Flow: x = (1 - sigma) x0 + sigma eps. Otherwise alpha^2 + sigma^2 = 1 at the same ratio. */
function node(ratio: number, flow: boolean): Node {
  const alpha = flow ? 1 - ratio : 1 / Math.sqrt(ratio * ratio + 1);
  const sigma = flow ? ratio : ratio * alpha;
  return { alpha, sigma, lambda: log(alpha) - log(sigma) };
}

/** How many of the noisiest training steps lie below the threshold and are left out. */
function clippedCount(cumulative: readonly number[], threshold: number): number {
  const count = cumulative.filter((alpha) => lambdaOf(alpha) < threshold).length;
  if (count === cumulative.length) {
    const why = "which leaves no training step; lower it";
    refuse("invalid_config", "lambda_min_clipped", threshold, why);
  }
  return count;
}

function lambdaOf(cumulative: number): number {
  const logRoot = (x: number) => f32(log(f32(Math.sqrt(x))));
  return f32(logRoot(cumulative) - logRoot(f32(1 - cumulative)));
}

function trainingStops(
  settings: MultistepSettings,
  training: readonly number[],
  steps: number,
  end: number,
): Stops {
  const timesteps = multistepTimesteps(settings, steps, end);
  const held = (timestep: number) => training[Math.min(timestep, training.length - 1)];
  return { timesteps, sigmas: timesteps.map(held), last: training[0] };
}

function shapedStops(
  settings: MultistepSettings,
  training: readonly number[],
  steps: number,
  karrasRounding: (timestep: number) => number,
): Stops | undefined {
  const sigmas = shapedSigmas(settings, training.toReversed(), steps);
  if (sigmas === undefined) return undefined;
  const rounding = settings.use_karras_sigmas ? karrasRounding : Math.trunc;
  return { timesteps: toTimesteps(sigmas, training, rounding), sigmas, last: sigmas[steps - 1] };
}

function toTimesteps(
  sigmas: readonly number[],
  training: readonly number[],
  rounding: (timestep: number) => number,
): number[] {
  const logs = logSigmas(training);
  return sigmas.map((sigma) => rounding(sigmaToTimestep(sigma, logs)));
}

/** Evenly spaced in lambda. @see DPM-Solver, https://arxiv.org/abs/2206.00927, section 3.4. */
function luStops(
  training: readonly number[],
  steps: number,
  rounding: (timestep: number) => number,
): Omit<Stops, "last"> {
  const logs = logSigmas(training);
  const [high, low] = [logs[logs.length - 1], logs[0]];
  const sigmas = linspace(0, 1, steps).map((ramp) => exp(high + ramp * (low - high)));
  return { timesteps: toTimesteps(sigmas, training, rounding), sigmas };
}

/** DPM-Solver's flow sigmas: from 1 - 1/N down to the grid's last but one. */
function reversedFlowStops(
  settings: MultistepSettings,
  steps: number,
  mu: number | undefined,
): Omit<Stops, "last"> {
  const count = settings.num_train_timesteps;
  const grid = linspace(1, 1 / count, steps + 1).map((alpha) => 1 - alpha);
  const shift = dynamicShift(settings, mu) ?? settings.flow_shift;
  const sigmas = grid.map((sigma) => shift * sigma / (1 + (shift - 1) * sigma))
    .reverse().slice(0, -1);
  return { timesteps: sigmas.map((sigma) => sigma * count), sigmas };
}

function dynamicShift(settings: MultistepSettings, mu: number | undefined): number | undefined {
  if (!settings.use_dynamic_shifting || mu === undefined) return undefined;
  if (settings.time_shift_type !== "exponential") {
    const why = "must be exponential for this scheduler";
    refuse("unsupported_setting", "time_shift_type", settings.time_shift_type, why);
  }
  return exp(mu);
}

/** UniPC's flow sigmas: from 1 down, or Karras' mapped to the flow's scale. */
function flowStops(
  settings: MultistepSettings,
  training: readonly number[],
  steps: number,
  mu: number | undefined,
): Stops {
  const karras = settings.use_karras_sigmas &&
    shapedSigmas(settings, training.toReversed(), steps);
  const sigmas = karras
    ? karras.map((sigma) => sigma / (sigma + 1))
    : belowOne(shiftedFlowSigmas(settings, steps, mu));
  const timesteps = sigmas.map((sigma) => sigma * settings.num_train_timesteps);
  return { timesteps, sigmas, last: sigmas[steps - 1] };
}

function shiftedFlowSigmas(
  settings: MultistepSettings,
  steps: number,
  mu: number | undefined,
): number[] {
  const grid = linspace(1, 1 / settings.num_train_timesteps, steps + 1).slice(0, -1);
  const shifted = shiftedSigmas(settings, settings.flow_shift, grid, mu);
  return stretchedToTerminal(shifted, settings.shift_terminal);
}

// At sigma = 1 nothing is left of x0, and lambda is infinite.
function belowOne(sigmas: readonly number[]): number[] {
  const margin = 1e-6;
  return sigmas.map((sigma, i) => i === 0 && Math.abs(sigma - 1) < margin ? sigma - margin : sigma);
}

function refuseMixedSigmas(settings: MultistepSettings, unmapped: boolean): void {
  refuseSeveralShapes(settings);
  const shaped = settings.use_exponential_sigmas || settings.use_beta_sigmas || unmapped;
  if (settings.use_flow_sigmas && shaped) {
    const why = "which is not defined together with Karras, exponential, beta or lu spacing";
    refuse("unsupported_setting", "use_flow_sigmas", true, why);
  }
  if (settings.shift_terminal !== undefined && !settings.use_flow_sigmas) {
    const why = "which needs use_flow_sigmas";
    refuse("invalid_config", "shift_terminal", settings.shift_terminal, why);
  }
}
