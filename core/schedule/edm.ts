import type { EdmDpmSettings, EdmEulerSettings } from "./config.ts";
import { refuse } from "./config.ts";
import { multistepWeights } from "./dpm_solver.ts";
import { towards } from "./exploding.ts";
import { linspace } from "./grid.ts";
import type { Node } from "./multistep_schedule.ts";
import { type Plan, type PlanRow, planRow, type StepWeights } from "./plan.ts";
import { exp, log, power } from "./portable_math.ts";

/**
 * EDM: x = x0 + sigma * eps with noise levels of its own, a network whose input has unit variance,
 * and predictions as a mix of input and output that is right at both ends.
 * @see https://arxiv.org/abs/2206.00364, table 1.
 */

const f32 = Math.fround;

export function planEdmEuler(settings: EdmEulerSettings, steps: number): Plan {
  const levels = edmSigmas(settings, steps);
  const last = settings.final_sigmas_type === "zero" ? 0 : levels[steps - 1];
  const sigmas = [...levels, last];
  const rows = levels.map((sigma, i) => edmRow(settings, sigma, towards(sigma, sigmas[i + 1])));
  return planOf("EDMEulerScheduler", settings, sigmas, rows);
}

export function planEdmDpm(settings: EdmDpmSettings, steps: number, begin = 0): Plan {
  if (settings.algorithm_type === "sde-dpmsolver++" && settings.solver_order === 3) {
    refuse("unsupported_setting", "solver_order", 3, "must be 1 or 2 for sde-dpmsolver++");
  }
  const levels = edmSigmas(settings, steps);
  const last = settings.final_sigmas_type === "zero" ? 0 : f32(settings.sigma_min);
  const sigmas = [...levels, last];
  const nodes = sigmas.map((sigma): Node => ({ alpha: 1, sigma, lambda: -log(sigma) }));
  const rows = levels.map((sigma, i) =>
    edmRow(settings, sigma, multistepWeights(settings, nodes, i, { steps, begin }))
  );
  return planOf("EDMDPMSolverMultistepScheduler", settings, sigmas, rows);
}

function edmSigmas(settings: EdmEulerSettings, steps: number): number[] {
  const { sigma_min: min, sigma_max: max, rho, sigma_schedule: schedule } = settings;
  const ramp = linspace(0, 1, steps);
  if (schedule === "exponential") {
    // One step is at the lower end, as in torch's linspace.
    const [high, low] = [log(steps === 1 ? min : max), log(min)];
    return ramp.map((share) => f32(exp(high + share * (low - high))));
  }
  const [low, high] = [power(min, 1 / rho), power(max, 1 / rho)];
  return ramp.map((share) => f32(power(high + share * (low - high), rho)));
}

function edmRow(settings: EdmEulerSettings, sigma: number, next: StepWeights): PlanRow {
  const { sigma_data: data, prediction_type: type } = settings;
  const variance = sigma * sigma + data * data;
  const share = sigma * data / Math.sqrt(variance);
  return planRow({
    timestep: f32(0.25 * f32(log(sigma))),
    alpha: 1,
    sigma,
    inScale: 1 / Math.sqrt(variance),
    fromX: data * data / variance,
    fromOut: type === "epsilon" ? share : -share,
  }, next);
}

function planOf(
  solver: string,
  { sigma_max: max, prediction_type: predictionType }: EdmEulerSettings,
  sigmas: readonly number[],
  rows: readonly PlanRow[],
): Plan {
  return {
    solver,
    predictionType,
    timesteps: rows.map(({ timestep }) => timestep),
    sigmas,
    initialScale: f32(Math.sqrt(max * max + 1)),
    rows,
  };
}
