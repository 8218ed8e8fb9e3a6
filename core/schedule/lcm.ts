import { AppError } from "../error.ts";
import { cumulativeAlphas } from "./betas.ts";
import { type LcmSettings, refuse } from "./config.ts";
import { marginal, trainingMarginal } from "./ddim.ts";
import { denoisedWeights, type Marginal, type Plan, planRow, type StepWeights } from "./plan.ts";

/**
 * Multistep consistency sampling: to the consistency model's x0, then fresh noise to the next level.
 * @see https://arxiv.org/abs/2310.04378.
 */
export function planLcm(settings: LcmSettings, steps: number): Plan {
  const cumulative = cumulativeAlphas(settings);
  const timesteps = distilledTimesteps(settings, steps);
  return {
    solver: "LCMScheduler",
    predictionType: settings.prediction_type,
    timesteps,
    initialScale: 1,
    rows: timesteps.map((timestep, i) => {
      const from = trainingMarginal(cumulative, timestep, settings.prediction_type);
      const to = i < steps - 1 ? marginal(cumulative[timesteps[i + 1]]) : { alpha: 1, sigma: 0 };
      return planRow(
        { timestep, ...from, ...denoisedWeights(settings.prediction_type, from) },
        consistency(timestep * settings.timestep_scaling, to),
      );
    }),
  };
}

/** x0 = cSkip * x + cOut * D, which is x itself at time 0. */
function consistency(time: number, to: Marginal): StepWeights {
  const dataVariance = 0.25;
  const variance = time * time + dataVariance;
  const [cSkip, cOut] = [dataVariance / variance, time / Math.sqrt(variance)];
  return { states: [to.alpha * cSkip], denoised: [to.alpha * cOut], noise: to.sigma };
}

/** Evenly among the steps that the model was distilled on, from the noisiest down. */
export function distilledTimesteps(
  settings: Pick<LcmSettings, "num_train_timesteps" | "original_inference_steps">,
  steps: number,
): number[] {
  const { num_train_timesteps: count, original_inference_steps: distilled } = settings;
  if (distilled > count) {
    const why = `must be at most num_train_timesteps (${count})`;
    refuse("invalid_config", "original_inference_steps", distilled, why);
  }
  if (steps > distilled) {
    throw new AppError(
      "invalid_request",
      `Cannot plan the denoising: steps is ${steps}, must be an integer from 1 to original_inference_steps (${distilled})`,
    );
  }
  const stride = Math.floor(count / distilled);
  return Array.from(
    { length: steps },
    (_, i) => (distilled - Math.floor(i * (distilled / steps))) * stride - 1,
  );
}
