import type { DeisSettings } from "./config.ts";
import { type MultistepOptions, orderAt, predictionWeights } from "./dpm_solver.ts";
import { deisSchedule, type Node } from "./multistep_schedule.ts";
import { type Plan, planRow, type StepWeights } from "./plan.ts";
import { log } from "./portable_math.ts";
import { combineNoise } from "./weights.ts";

/**
 * DEIS in log rho, rho = sigma / alpha: x / alpha grows with rho by the predicted noise, as the
 * polynomial in log rho through its last values.
 * @see https://arxiv.org/abs/2204.13902, rho-AB.
 */
export function planDeis(
  settings: DeisSettings,
  steps: number,
  { mu, begin = 0 }: MultistepOptions = {},
): Plan {
  const { timesteps, sigmas, nodes } = deisSchedule(settings, steps, mu);
  const rows = timesteps.map((timestep, i) => {
    const order = orderAt({ ...settings, ...ENDING }, i, { steps: timesteps.length, begin });
    const weights = predictionWeights(settings, nodes[i], sigmas[i]);
    return planRow({ timestep, ...nodes[i], ...weights }, step(nodes, i, order));
  });
  return {
    solver: "DEISMultistepScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    sigmas,
    initialScale: 1,
    rows,
  };
}

/** It knows no other. */
const ENDING = { euler_at_final: false, final_sigmas_type: "sigma_min" } as const;

function step(nodes: readonly Node[], i: number, order: number): StepWeights {
  const [from, to] = [nodes[i], nodes[i + 1]];
  const levels = nodes.slice(i - order + 1, i + 1).reverse().map(({ alpha, sigma }) =>
    sigma / alpha
  );
  // A repeated noise level says nothing new: the order ends there.
  const known = levels.filter((_, k) => new Set(levels.slice(0, k + 1)).size === k + 1);
  const [start, end] = [known[0], to.sigma / to.alpha];
  const shares = known.map((_, k) => to.alpha * basisIntegral(known.map(log), k, start, end));
  return combineNoise([to.alpha / from.alpha], shares, nodes, i);
}

/** Integral over rho of the polynomial in log rho that is 1 at knot k and 0 at the others. */
function basisIntegral(knots: readonly number[], k: number, from: number, to: number): number {
  const others = knots.filter((_, j) => j !== k);
  const scale = others.reduce((product, knot) => product * (knots[k] - knot), 1);
  return (primitive(others, to) - primitive(others, from)) / scale;
}

/** Of (log rho - a)(log rho - b), of one factor, or of 1: d/drho rho (l - 1) = l, l = log rho. */
function primitive([a, b]: readonly number[], rho: number): number {
  if (a === undefined) return rho;
  const l = log(rho);
  if (b === undefined) return rho * (l - 1 - a);
  return rho * (l * l - 2 * l + 2 - (a + b) * (l - 1) + a * b);
}
