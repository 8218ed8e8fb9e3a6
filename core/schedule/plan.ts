/** What a network predicts. `flow`: the velocity from data to noise, eps - x0. */
export type PredictionType = "epsilon" | "v_prediction" | "sample" | "flow_prediction";

/**
 * One denoising step as plain numbers, in double precision. Of state x_i and network output out:
 *
 *     network input  inScale * x_i,  told `timestep`
 *     D_i     = fromX * x_i + fromOut * out                       (the denoised prediction)
 *     x_{i+1} = keep * x_i + x1 * x_{i-1} + x2 * x_{i-2} + x3 * x_{i-3}
 *             + d0 * D_i + d1 * D_{i-1} + d2 * D_{i-2} + d3 * D_{i-3} + noise * z_i
 *
 * x1..x3 are not zero for solvers that integrate the predicted noise (`dpmsolver`, `sde-dpmsolver`,
 * UniPC without `predict_x0`), d3 for UniPC of order 3; every other row needs keep, d0..d2 and noise.
 */
export interface PlanRow {
  readonly timestep: number;
  /** The marginal x = alpha * x0 + sigma * eps, in the solver's own scale of x. */
  readonly alpha: number;
  readonly sigma: number;
  readonly inScale: number;
  readonly fromX: number;
  readonly fromOut: number;
  readonly keep: number;
  readonly x1: number;
  readonly x2: number;
  readonly x3: number;
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
  readonly noise: number;
  /** How many states the row reads, the current one included: 1 to 4. */
  readonly states: number;
  /** How many denoised predictions the row reads, the current one included: 1 to 4. */
  readonly history: number;
}

/** A whole denoising run as data: plain JSON, no state. */
export interface Plan {
  /** The diffusers class whose numbers these are. */
  readonly solver: string;
  readonly predictionType: PredictionType;
  /** What the network is told, one a row. */
  readonly timesteps: readonly number[];
  /** Noise levels at the steps and at the end, where the solver has them. */
  readonly sigmas?: readonly number[];
  /** x_0 = initialScale * unit Gaussian noise. */
  readonly initialScale: number;
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

/** Weights by age: [current, one step ago, ...], at most four each. */
export interface Combination {
  readonly states: readonly number[];
  readonly denoised: readonly number[];
  readonly noise?: number;
}

/** The row of a step, from what the network is told and how the next state is combined. */
export function planRow(
  input: Pick<PlanRow, "timestep"> & Marginal & DenoisedWeights & { readonly inScale?: number },
  next: Combination,
): PlanRow {
  const [keep, x1 = 0, x2 = 0, x3 = 0] = next.states;
  const [d0, d1 = 0, d2 = 0, d3 = 0] = next.denoised;
  return {
    timestep: input.timestep,
    alpha: input.alpha,
    sigma: input.sigma,
    inScale: input.inScale ?? 1,
    fromX: input.fromX,
    fromOut: input.fromOut,
    ...{ keep, x1, x2, x3, d0, d1, d2, d3 },
    noise: next.noise ?? 0,
    states: reach([keep, x1, x2, x3]),
    history: reach([d0, d1, d2, d3]),
  };
}

function reach(weights: readonly number[]): number {
  return Math.max(1, weights.findLastIndex((weight) => weight !== 0) + 1);
}
