import { cumulativeAlphas } from "./betas.ts";
import type { TcdSettings } from "./config.ts";
import { marginal, trainingMarginal } from "./ddim.ts";
import { distilledTimesteps } from "./lcm.ts";
import { denoisedWeights, type Marginal, type Plan, planRow, type StepWeights } from "./plan.ts";

/**
 * Trajectory consistency sampling: a step of DDIM beyond the next timestep, to 1 - eta of it, and
 * fresh noise back up. The last step ends at timestep 0 without noise.
 * @see https://arxiv.org/abs/2402.19159, algorithm 4; eta is its gamma.
 */
export function planTcd(settings: TcdSettings, steps: number): Plan {
  const cumulative = cumulativeAlphas(settings);
  const timesteps = distilledTimesteps(settings, steps);
  return {
    solver: "TCDScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    initialScale: 1,
    rows: timesteps.map((timestep, i) => {
      const from = trainingMarginal(cumulative, timestep, settings.prediction_type);
      const next = timesteps[i + 1] ?? 0;
      const below = marginal(cumulative[Math.floor((1 - settings.eta) * next)]);
      const to = i === steps - 1 ? below : marginal(cumulative[next]);
      return planRow(
        { timestep, ...from, ...denoisedWeights(settings.prediction_type, from) },
        byWayOf(from, below, to),
      );
    }),
  };
}

function byWayOf(from: Marginal, below: Marginal, to: Marginal): StepWeights {
  const keep = below.sigma / from.sigma;
  const up = to.alpha / below.alpha;
  return {
    states: [up * keep],
    denoised: [up * (below.alpha - keep * from.alpha)],
    noise: Math.sqrt(Math.max(1 - up * up, 0)),
  };
}
