import { cumulativeAlphas } from "./betas.ts";
import type { DdpmSettings } from "./config.ts";
import { marginal, refusePastEnd, trainingMarginal } from "./ddim.ts";
import { roundHalfEven } from "./grid.ts";
import { denoisedWeights, type Plan, planRow, type StepWeights } from "./plan.ts";
import { evenTimesteps } from "./timesteps.ts";

/** @see DDPM, https://arxiv.org/abs/2006.11239, equation (7), from any timestep to the next. */
export function planDdpm(settings: DdpmSettings, steps: number): Plan {
  const cumulative = cumulativeAlphas(settings);
  const timesteps = evenTimesteps(settings, steps).map(roundHalfEven);
  if (timesteps[0] >= cumulative.length) refusePastEnd("DDPM", settings, steps);
  return {
    solver: "DDPMScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    initialScale: 1,
    rows: timesteps.map((timestep, i) => {
      const from = trainingMarginal(cumulative, timestep, settings.prediction_type);
      const next = i === timesteps.length - 1 ? 1 : cumulative[timesteps[i + 1]];
      return planRow(
        { timestep, ...from, ...denoisedWeights(settings.prediction_type, from) },
        posterior(settings, cumulative[timestep], next, timestep === 0),
      );
    }),
  };
}

/** Mean and spread of the next state, given this one and the image. */
function posterior(
  { variance_type: type }: DdpmSettings,
  from: number,
  to: number,
  last: boolean,
): StepWeights {
  const kept = from / to;
  const [before, after] = [1 - from, 1 - to];
  const small = after / before * (1 - kept);
  const deviations = {
    fixed_small: Math.sqrt(small),
    fixed_small_log: Math.sqrt(small),
    fixed_large: Math.sqrt(1 - kept),
  };
  return {
    states: [Math.sqrt(kept) * after / before],
    denoised: [marginal(to).alpha * (1 - kept) / before],
    noise: last ? 0 : deviations[type],
  };
}
