import { AppError } from "../error.ts";
import { cumulativeAlphas } from "./betas.ts";
import { type DdimSettings, refuse, type TimestepSettings } from "./config.ts";
import { roundHalfEven } from "./grid.ts";
import {
  denoisedWeights,
  type Marginal,
  type Plan,
  planRow,
  type PredictionType,
  type StepWeights,
} from "./plan.ts";
import { evenTimesteps } from "./timesteps.ts";

/** @see DDIM, https://arxiv.org/abs/2010.02502, equations (12) and (16). */
export function planDdim(settings: DdimSettings, steps: number): Plan {
  const cumulative = cumulativeAlphas(settings);
  const timesteps = evenTimesteps(settings, steps).map(roundHalfEven);
  if (timesteps[0] >= cumulative.length) refusePastEnd("DDIM", settings, steps);
  const stride = Math.floor(settings.num_train_timesteps / steps);
  const end = marginal(settings.set_alpha_to_one ? 1 : cumulative[0]);
  return {
    solver: "DDIMScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    initialScale: 1,
    rows: timesteps.map((timestep) => {
      const from = trainingMarginal(cumulative, timestep, settings.prediction_type);
      const to = timestep < stride ? end : marginal(cumulative[timestep - stride]);
      return planRow(
        { timestep, ...from, ...denoisedWeights(settings.prediction_type, from) },
        towards(from, to, settings.eta),
      );
    }),
  };
}

/** @param eta Share of the noise that is fresh, in units of DDPM's. */
function towards(from: Marginal, to: Marginal, eta: number): StepWeights {
  const kept = from.alpha / to.alpha;
  const noise = eta * to.sigma / from.sigma * Math.sqrt(Math.max(1 - kept * kept, 0));
  const left = eta === 0 ? to.sigma : Math.sqrt(to.sigma * to.sigma - noise * noise);
  const keep = left / from.sigma;
  return { states: [keep], denoised: [to.alpha - keep * from.alpha], noise };
}

/**
 * The offset pushes the first stop past the last training step, an IndexError in diffusers: an offset of
 * 1, which pipelines set by themselves, at as many steps as there are, a larger one at fewer. What can
 * be changed is the number of steps: the offset is the model's, and nobody asked for it.
 */
export function refusePastEnd(
  solver: string,
  settings: TimestepSettings,
  steps: number,
): never {
  const last = settings.num_train_timesteps - 1;
  const fits = (count: number) => roundHalfEven(evenTimesteps(settings, count)[0]) <= last;
  const most = Array.from({ length: steps - 1 }, (_, k) => steps - 1 - k).find(fits);
  if (most === undefined) {
    const why = `and the last training step is ${last}: no number of steps begins before it`;
    refuse("invalid_config", "steps_offset", settings.steps_offset, why);
  }
  throw new AppError(
    "invalid_request",
    `Cannot plan the denoising: steps is ${steps}, must be at most ${most} for ${solver} with this ` +
      `model, whose timesteps begin past its last training step (${last}) otherwise`,
  );
}

/** x = alpha * x0 + sigma * eps with alpha^2 + sigma^2 = 1. */
export function marginal(cumulative: number): Marginal {
  return { alpha: Math.sqrt(cumulative), sigma: Math.sqrt(1 - cumulative) };
}

/**
 * The marginal at a training step.
 * @throws AppError `invalid_config` when nothing is left there of the image that an epsilon
 * prediction could be read for.
 */
export function trainingMarginal(
  cumulative: readonly number[],
  timestep: number,
  type: PredictionType,
): Marginal {
  if (cumulative[timestep] === 0 && type === "epsilon") {
    const why = "which has no meaning at the zero SNR of rescale_betas_zero_snr; use v_prediction";
    refuse("invalid_config", "prediction_type", type, why);
  }
  return marginal(cumulative[timestep]);
}
