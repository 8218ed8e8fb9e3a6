/** What a network predicts. `flow`: the velocity from data to noise, eps - x0. */
export type PredictionType = "epsilon" | "v_prediction" | "sample" | "flow_prediction";

/** States and predictions that a row reads at most, the current one included. */
export const MAX_REACH = 4;

/**
 * One denoising step as plain numbers, in double precision. Of state x_i and network output out:
 *
 *     network input  inScale * x_i,  at `timestep`
 *     D_i     = fromX * x_i + fromOut * out                       (the denoised prediction)
 *     x_{i+1} = sum of states[k] * x_{i-k} + sum of denoised[k] * D_{i-k} + noise * z_i
 *
 * Weights are listed by age, k = 0 for the current step, to the last that is not 0; there is always
 * one of each, and at most {@link MAX_REACH}. So their number is how far back the step reads. Most
 * rows read x_i alone: older states are for solvers that integrate the predicted noise
 * (`dpmsolver`, `sde-dpmsolver`, UniPC without `predict_x0`).
 */
export interface PlanRow {
  readonly timestep: number;
  /** The marginal x = alpha * x0 + sigma * eps, in the solver's own scale of x. */
  readonly alpha: number;
  readonly sigma: number;
  readonly inScale: number;
  readonly fromX: number;
  readonly fromOut: number;
  /** Of x_i, x_{i-1}, ... */
  readonly states: readonly number[];
  /** Of D_i, D_{i-1}, ... */
  readonly denoised: readonly number[];
  /** Of z_i, unit Gaussian noise. */
  readonly noise: number;
  /**
   * Of inpainting: where the mask keeps, the next state is the source at the next noise level,
   * weights of s and of the seed's first noise. With the mask m, 1 where it repaints:
   *
   *     x_{i+1} = m * (the sum above) + (1 - m) * (blend.source * s + blend.noise * z_0)
   */
  readonly blend?: StartWeights;
}

/** A source image's latent s at a noise level: source * s + noise * z, z unit Gaussian. */
export interface StartWeights {
  readonly source: number;
  readonly noise: number;
}

/** A whole denoising run as data: plain JSON, no state. */
export interface Plan {
  /** The diffusers class whose numbers these are. */
  readonly solver: string;
  readonly predictionType: PredictionType;
  /** The network's time input, one a row. */
  readonly timesteps: readonly number[];
  /** Noise levels at the steps and at the end, where the solver has them; as diffusers lists them. */
  readonly sigmas?: readonly number[];
  /** x_0 = initialScale * unit Gaussian noise (+ sourceScale * s). */
  readonly initialScale: number;
  /** Weight in x_0 of the source image's latent s, for a run that starts from an image. */
  readonly sourceScale?: number;
  readonly rows: readonly PlanRow[];
}

/** The marginal at a step: x = alpha * x0 + sigma * eps. */
export interface Marginal {
  readonly alpha: number;
  readonly sigma: number;
}

export type DenoisedWeights = Pick<PlanRow, "fromX" | "fromOut">;

/** Weights of x and of the network's output in the denoised prediction D. */
export function denoisedWeights(type: PredictionType, marginal: Marginal): DenoisedWeights {
  const { alpha, sigma } = marginal;
  switch (type) {
    case "epsilon":
      return { fromX: 1 / alpha, fromOut: -sigma / alpha };
    case "v_prediction":
      return { fromX: alpha, fromOut: -sigma };
    case "sample":
      return { fromX: 0, fromOut: 1 };
    case "flow_prediction":
      return { fromX: 1, fromOut: -sigma };
    default:
      return type satisfies never;
  }
}

/** Weights of the next state by age, at most {@link MAX_REACH} each; trailing zeros are allowed. */
export interface StepWeights {
  readonly states: readonly number[];
  readonly denoised: readonly number[];
  /** 0 by default. */
  readonly noise?: number;
}

/** The row of a step, from the network's side of it and the weights of the next state. */
export function planRow(
  input: Pick<PlanRow, "timestep"> & Marginal & DenoisedWeights & { readonly inScale?: number },
  next: StepWeights,
): PlanRow {
  return {
    timestep: input.timestep,
    alpha: input.alpha,
    sigma: input.sigma,
    inScale: input.inScale ?? 1,
    fromX: input.fromX,
    fromOut: input.fromOut,
    states: withoutTrailingZeros(next.states),
    denoised: withoutTrailingZeros(next.denoised),
    noise: next.noise ?? 0,
  };
}

function withoutTrailingZeros(weights: readonly number[]): readonly number[] {
  return weights.slice(0, Math.max(1, weights.findLastIndex((weight) => weight !== 0) + 1));
}
