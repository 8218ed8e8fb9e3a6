import type { DpmSinglestepSettings } from "./config.ts";
import {
  coefficients,
  integratesData,
  known,
  type MultistepOptions,
  predictionWeights,
  refuseNoisePrediction,
} from "./dpm_solver.ts";
import { type Node, singlestepSchedule } from "./multistep_schedule.ts";
import { type Plan, planRow, type StepWeights } from "./plan.ts";
import { combineNoise, difference, scaled, sum, type Weights } from "./weights.ts";

/**
 * DPM-Solver and DPM-Solver++ in blocks of as many steps as the order: each step of a block starts
 * from the block's own start, by all predictions since.
 * @see DPM-Solver, https://arxiv.org/abs/2206.00927, algorithms 1 and 2.
 */
export function planDpmSinglestep(
  settings: DpmSinglestepSettings,
  steps: number,
  { mu, begin = 0 }: MultistepOptions = {},
): Plan {
  refuseNoisePrediction(settings);
  const { timesteps, sigmas, nodes } = singlestepSchedule(settings, steps, mu);
  const orders = ordersOf(settings, timesteps.length);
  const rows = timesteps.map((timestep, i) => {
    const weights = predictionWeights(settings, nodes[i], sigmas[i]);
    return planRow(
      { timestep, ...nodes[i], ...weights },
      step(settings, nodes, i, Math.min(orders[i], known(i, begin))),
    );
  });
  return {
    solver: "DPMSolverSinglestepScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    sigmas,
    initialScale: 1,
    rows,
  };
}

/** 1, 2, ..., order over and over; at the end such that the last step is of the first order. */
function ordersOf(settings: DpmSinglestepSettings, steps: number): number[] {
  const { solver_order: order, lower_order_final: lower, final_sigmas_type: final } = settings;
  const orders = Array.from({ length: steps }, (_, i) => i % order + 1);
  const whole = steps % order === 0;
  if (final === "zero" || (lower && whole)) orders[steps - 1] = 1;
  return orders;
}

function step(
  settings: DpmSinglestepSettings,
  nodes: readonly Node[],
  i: number,
  order: number,
): StepWeights {
  const [start, to] = [nodes[i - order + 1], nodes[i + 1]];
  const before: number[] = Array(order - 1).fill(0);
  const h = to.lambda - start.lambda;
  // A repeated noise level leaves nothing to do.
  if (h === 0) return { states: [...before, 1], denoised: [0] };
  const terms = derivatives(settings, nodes, i, h, order);
  // Of the third order without the second derivative: as Heun's integrals of the first.
  const ofTerms = order === 3 ? { ...settings, solver_type: "heun" as const } : settings;
  const { state, gains, noise } = coefficients(ofTerms, start, to, h, terms.length);
  const states = [...before, state];
  const weights = sum(terms.map((term, k) => scaled(term, gains[k])));
  return integratesData(settings.algorithm_type)
    ? { states, denoised: weights, noise }
    : { ...combineNoise(states, weights, nodes, i), noise };
}

/** The prediction at the block's start and its derivatives in lambda, in units of h. */
function derivatives(
  { solver_type: type }: DpmSinglestepSettings,
  nodes: readonly Node[],
  i: number,
  h: number,
  order: number,
): Weights[] {
  if (order === 1) return [[1]];
  const lambda = nodes[i - order + 1].lambda;
  const r0 = (nodes[i].lambda - lambda) / h;
  if (order === 2) return [[0, 1], [1 / r0, -1 / r0]];
  const r1 = (nodes[i - 1].lambda - lambda) / h;
  const [toMiddle, toEnd] = [[0, 1 / r1, -1 / r1], [1 / r0, 0, -1 / r0]];
  if (type === "midpoint") return [[0, 0, 1], toEnd];
  return [
    [0, 0, 1],
    scaled(difference(scaled(toMiddle, r0), scaled(toEnd, r1)), 1 / (r0 - r1)),
    scaled(difference(toEnd, toMiddle), 2 / (r0 - r1)),
  ];
}
