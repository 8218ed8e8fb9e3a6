import { AppError } from "../error.ts";
import type { BetaSettings } from "./config.ts";
import { linspaceFloat32 } from "./grid.ts";
import { cos } from "./portable_math.ts";

const f32 = Math.fround;

/**
 * The share of signal variance left after each training step: the cumulative product of 1 - beta.
 * Single precision where diffusers has it: the sigmas, and with them the timesteps, follow from it.
 * @returns f32-valued [num_train_timesteps], falling, in [0, 1]; the last is 0 when
 * `rescale_betas_zero_snr` is set.
 * @throws AppError `invalid_config` when the betas are no noise schedule.
 */
export function cumulativeAlphas(settings: BetaSettings): number[] {
  const betas = trainingBetas(settings);
  const alphas = cumulativeProduct(betas.map((beta) => f32(1 - beta)));
  if (!alphas.every((alpha, i) => alpha > 0 && alpha < (i === 0 ? 1 : alphas[i - 1]))) {
    throw new AppError(
      "invalid_config",
      "Cannot read the scheduler config: the betas are no noise schedule, must each lie between 0 and 1",
    );
  }
  return settings.rescale_betas_zero_snr ? rescaledToZeroSnr(alphas) : alphas;
}

/** As above, with zero terminal SNR held just above zero so that every sigma is finite. */
export function positiveCumulativeAlphas(settings: BetaSettings): number[] {
  const alphas = cumulativeAlphas(settings);
  // The smallest positive float16.
  return settings.rescale_betas_zero_snr ? [...alphas.slice(0, -1), 2 ** -24] : alphas;
}

function trainingBetas(settings: BetaSettings): number[] {
  const { num_train_timesteps: count, beta_start: start, beta_end: end } = settings;
  if (settings.trained_betas) return checkedBetas(settings.trained_betas, count);
  switch (settings.beta_schedule) {
    case "linear":
      return linspaceFloat32(start, end, count);
    case "scaled_linear":
      return linspaceFloat32(Math.sqrt(start), Math.sqrt(end), count).map((root) =>
        f32(root * root)
      );
    case "squaredcos_cap_v2":
      return cosineBetas(count);
    default:
      return settings.beta_schedule satisfies never;
  }
}

function checkedBetas(betas: readonly number[], count: number): number[] {
  if (betas.length !== count) {
    throw new AppError(
      "invalid_config",
      `Cannot read the scheduler config: trained_betas is ${betas.length} numbers long, must be num_train_timesteps (${count})`,
    );
  }
  return betas.map(f32);
}

/** @see Improved DDPM, https://arxiv.org/abs/2102.09672, equation (17); betas capped at 0.999. */
function cosineBetas(count: number): number[] {
  const signal = (t: number) => {
    const root = cos((t + 0.008) / 1.008 * Math.PI / 2);
    return root * root;
  };
  return Array.from(
    { length: count },
    (_, i) => f32(Math.min(1 - signal((i + 1) / count) / signal(i / count), 0.999)),
  );
}

// torch accumulates in f64 and rounds each output.
function cumulativeProduct(factors: readonly number[]): number[] {
  let product = 1;
  return factors.map((factor) => f32(product *= factor));
}

/**
 * Shifts and stretches the signal's amplitude so that the last step is pure noise and the first is
 * unchanged.
 * @see https://arxiv.org/abs/2305.08891, algorithm 1.
 */
function rescaledToZeroSnr(cumulative: readonly number[]): number[] {
  const roots = cumulative.map((alpha) => f32(Math.sqrt(alpha)));
  const [first, last] = [roots[0], roots[roots.length - 1]];
  const stretch = f32(first / f32(first - last));
  const stretched = roots.map((root) => f32(f32(root - last) * stretch));
  const squares = stretched.map((root) => f32(root * root));
  // Back through betas, as training does: their rounding shows in the product.
  const betas = squares.map((square, i) =>
    f32(1 - (i === 0 ? square : f32(square / squares[i - 1])))
  );
  return cumulativeProduct(betas.map((beta) => f32(1 - beta)));
}
