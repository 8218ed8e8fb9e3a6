import { betaQuantile } from "./beta_quantile.ts";
import { refuse } from "./config.ts";
import { linspace } from "./grid.ts";
import { logFloat32 } from "./log_float32.ts";
import { exp, log, power } from "./portable_math.ts";

/** sigma = noise over signal, sqrt((1 - alpha) / alpha) of the cumulative alpha; Karras' sigma. */

const f32 = Math.fround;

/** @returns f32-valued, rising with the training step. */
export function trainingSigmas(cumulative: readonly number[]): number[] {
  return cumulative.map((alpha) => f32(Math.sqrt(f32(f32(1 - alpha) / alpha))));
}

interface SigmaRange {
  readonly min: number;
  readonly max: number;
}

/** @see https://arxiv.org/abs/2206.00364, equation (5), rho = 7. */
function karrasSigmas({ min, max }: SigmaRange, count: number): number[] {
  const rho = 7;
  const [low, high] = [power(min, 1 / rho), power(max, 1 / rho)];
  return linspace(0, 1, count).map((ramp) => power(high + ramp * (low - high), rho));
}

/** Evenly spaced in log sigma. */
function exponentialSigmas({ min, max }: SigmaRange, count: number): number[] {
  return linspace(log(max), log(min), count).map(exp);
}

/** Dense at both ends: quantiles of Beta(0.6, 0.6). @see https://arxiv.org/abs/2407.12173. */
function betaSigmas({ min, max }: SigmaRange, count: number): number[] {
  return linspace(0, 1, count).map((ramp) => min + betaQuantile(1 - ramp, 0.6) * (max - min));
}

interface SigmaShape {
  readonly use_karras_sigmas: boolean;
  readonly use_exponential_sigmas: boolean;
  readonly use_beta_sigmas: boolean;
  readonly sigma_min?: number | undefined;
  readonly sigma_max?: number | undefined;
}

/** The sigmas of the shape that the config asks for between the ends of `sigmas`; none, undefined. */
export function shapedSigmas(
  shape: SigmaShape,
  sigmas: readonly number[],
  count: number,
): number[] | undefined {
  const range = {
    min: shape.sigma_min ?? sigmas[sigmas.length - 1],
    max: shape.sigma_max ?? sigmas[0],
  };
  if (shape.use_karras_sigmas) return karrasSigmas(range, count);
  if (shape.use_exponential_sigmas) return exponentialSigmas(range, count);
  if (shape.use_beta_sigmas) return betaSigmas(range, count);
  return undefined;
}

/** @throws AppError `invalid_config` when more than one spacing of sigmas is asked for. */
export function refuseSeveralShapes(shape: SigmaShape): void {
  const shapes = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"] as const;
  const [first, second] = shapes.filter((key) => shape[key]);
  if (second !== undefined) {
    refuse("invalid_config", second, true, `and so is ${first}; only one of them can be`);
  }
}

/** @param sigmas Training sigmas, rising. @returns Their logarithms, f32-valued. */
export function logSigmas(sigmas: readonly number[]): number[] {
  return sigmas.map(logFloat32);
}

/**
 * The fractional training step at which the noise is sigma, by interpolation in log sigma. The
 * weight is in single precision, as numpy 1 has it: where sigma is the last training step's own,
 * it is that step to the bit, and no less by a rounding that would cost a step when cut off.
 */
export function sigmaToTimestep(sigma: number, logs: readonly number[]): number {
  const logSigma = f32(log(Math.max(sigma, 1e-10)));
  const low = lastAtMost(logs, logSigma);
  const weight = f32(f32(logs[low] - logSigma) / f32(logs[low] - logs[low + 1]));
  const inside = Math.min(Math.max(weight, 0), 1);
  return f32(1 - inside) * low + inside * (low + 1);
}

/** Sigmas fall again at the last step of a schedule rescaled to zero SNR, so this is no bisection. */
function lastAtMost(values: readonly number[], x: number): number {
  const last = values.findLastIndex((value) => value <= x);
  return Math.min(Math.max(last, 0), values.length - 2);
}
