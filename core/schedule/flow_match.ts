import { type FlowMatchSettings, refuse } from "./config.ts";
import { linspace } from "./grid.ts";
import { type Plan, type PlanRow, planRow, type StepWeights } from "./plan.ts";
import { shiftedSigmas, stretchedToTerminal } from "./shift.ts";
import { refuseSeveralShapes, shapedSigmas } from "./sigmas.ts";

const f32 = Math.fround;

/**
 * Euler's method on the flow x = (1 - sigma) * x0 + sigma * eps, whose velocity the network predicts.
 * @see https://arxiv.org/abs/2403.03206.
 */
export function planFlowMatch(
  settings: FlowMatchSettings,
  steps: number,
  options: FlowOptions = {},
): Plan {
  refuseSeveralShapes(settings);
  if (settings.invert_sigmas && settings.stochastic_sampling) {
    const why = "which is not defined together with invert_sigmas";
    refuse("unsupported_setting", "stochastic_sampling", true, why);
  }
  const count = settings.num_train_timesteps;
  const falling = fallingSigmas(settings, steps, options).map(f32);
  const sigmas = settings.invert_sigmas
    ? [...falling.map((sigma) => f32(1 - sigma)), 1]
    : [...falling, 0];
  const timesteps = sigmas.slice(0, -1).map((sigma) => f32(sigma * count));
  return {
    solver: "FlowMatchEulerDiscreteScheduler",
    predictionType: "flow_prediction",
    timesteps,
    sigmas,
    initialScale: 1,
    rows: timesteps.map((timestep, i) => flowRow(settings, timestep, sigmas[i], sigmas[i + 1])),
  };
}

/** What a pipeline adds to the config, see `PlanOptions`. */
interface FlowOptions {
  readonly mu?: number;
  readonly sigmas?: readonly number[];
}

function fallingSigmas(
  settings: FlowMatchSettings,
  steps: number,
  { mu, sigmas }: FlowOptions,
): number[] {
  const grid = sigmas?.map(f32) ?? trainingGrid(settings, steps);
  const stretched = stretchedToTerminal(
    shiftedSigmas(settings, settings.shift, grid, mu),
    settings.shift_terminal,
  );
  return shapedSigmas(settings, stretched, steps) ?? stretched;
}

/** Shifted again later where the shift is fixed: its lower end is the last training sigma, shifted. */
function trainingGrid(settings: FlowMatchSettings, steps: number): number[] {
  const { num_train_timesteps: count, shift } = settings;
  const [high, low] = [1, f32(1 / count)].map((sigma) =>
    settings.use_dynamic_shifting ? sigma : shiftedFloat32(sigma, shift)
  );
  return linspace(high * count, low * count, steps).map((timestep) => timestep / count);
}

function shiftedFloat32(sigma: number, shift: number): number {
  return f32(f32(f32(shift) * sigma) / f32(1 + f32(f32(shift - 1) * sigma)));
}

/** Inverted, sigma is the share of data: it rises, and the velocity points from noise to data. */
function flowRow(
  settings: FlowMatchSettings,
  timestep: number,
  sigma: number,
  next: number,
): PlanRow {
  const [noise, noiseNext] = settings.invert_sigmas ? [1 - sigma, 1 - next] : [sigma, next];
  const marginal = { alpha: 1 - noise, sigma: noise };
  const fromOut = settings.invert_sigmas ? noise : -noise;
  const step = settings.stochastic_sampling ? renoised(noiseNext) : towards(noise, noiseNext);
  return planRow({ timestep, ...marginal, fromX: 1, fromOut }, step);
}

function towards(sigma: number, next: number): StepWeights {
  return { states: [next / sigma], denoised: [1 - next / sigma] };
}

function renoised(next: number): StepWeights {
  return { states: [0], denoised: [1 - next], noise: next };
}
