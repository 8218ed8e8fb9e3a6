import { AppError } from "../error.ts";

/** A step as claimed and as recomputed, for one image. All f32[n]. */
export interface ResidualPair {
  /** Of the step's marginal x = alpha * x0 + sigma * eps. */
  readonly alpha: number;
  /** x_i, which both start from. */
  readonly state: Float32Array;
  /** D_i and x_{i+1} as the miner claims them. */
  readonly denoised: Float32Array;
  readonly next: Float32Array;
  /** The same, recomputed. */
  readonly denoisedAgain: Float32Array;
  readonly nextAgain: Float32Array;
}

/**
 * Sums over a pair's elements. w = alpha * x - D is the velocity times sigma: sigma cancels in every
 * ratio that follows. A dash is the recomputed side.
 */
export interface ResidualSums {
  /** D.D', D.D, D'.D' */
  readonly denoised: readonly [cross: number, claimed: number, again: number];
  /** w.w', w.w, w'.w', |w - w'|^2 */
  readonly velocity: readonly [cross: number, claimed: number, again: number, difference: number];
  /** y.y', y.y, y'.y' with y = x_{i+1} */
  readonly next: readonly [cross: number, claimed: number, again: number];
  /** Elements of which some tensor is NaN or infinite. */
  readonly nonFinite: number;
}

/** How far a claimed step is from its recomputation. NaN where some element is not finite. */
export interface Residual {
  /** cos(v, v') in [-1, 1]; 0 where either side is all zeros. */
  readonly similarity: number;
  /** |v - v'| / |v'|; 0 when both are zero, Infinity when only v' is. */
  readonly velocityError: number;
  /** cos(D, D') */
  readonly denoisedCosine: number;
  /** cos(x_{i+1}, x'_{i+1}), which WOMBO's Subnet 30 compares. */
  readonly latentCosine: number;
  readonly nonFinite: number;
}

const PARTIAL_LENGTH = 12;

/**
 * The sums of one pair, in f64. CPU reference of `shaders/residual.wgsl`.
 * @throws AppError `shape_mismatch` when lengths differ.
 */
export function residualSums(pair: ResidualPair): ResidualSums {
  const { alpha, state, denoised, next, denoisedAgain, nextAgain } = pair;
  const tensors = [state, denoised, next, denoisedAgain, nextAgain];
  const other = tensors.find(({ length }) => length !== state.length);
  if (other) {
    throw new AppError(
      "shape_mismatch",
      `Cannot compare steps: lengths are ${state.length} and ${other.length}`,
    );
  }
  const velocity = Float64Array.from(denoised, (d, j) => alpha * state[j] - d);
  const velocityAgain = Float64Array.from(denoisedAgain, (d, j) => alpha * state[j] - d);
  const difference = Float64Array.from(denoised, (d, j) => denoisedAgain[j] - d);
  let nonFinite = 0;
  for (let j = 0; j < state.length; j++) {
    if (!tensors.every((tensor) => Number.isFinite(tensor[j]))) nonFinite++;
  }
  return {
    denoised: products(denoised, denoisedAgain),
    velocity: [...products(velocity, velocityAgain), dot(difference, difference)],
    next: products(next, nextAgain),
    nonFinite,
  };
}

/** The same sums from the kernel's partials, f32[threads, 12], added in f64. */
export function sumPartials(partials: Float32Array): ResidualSums {
  const total = new Array<number>(PARTIAL_LENGTH).fill(0);
  partials.forEach((value, k) => total[k % PARTIAL_LENGTH] += value);
  const [dd, d, dAgain, ww, w, wAgain, difference, yy, y, yAgain, nonFinite] = total;
  return {
    denoised: [dd, d, dAgain],
    velocity: [ww, w, wAgain, difference],
    next: [yy, y, yAgain],
    nonFinite,
  };
}

/** What the sums say. */
export function finishResidual(sums: ResidualSums): Residual {
  const { denoised, velocity, next, nonFinite } = sums;
  if (nonFinite > 0) {
    const unknown = { similarity: NaN, velocityError: NaN, denoisedCosine: NaN, latentCosine: NaN };
    return { ...unknown, nonFinite };
  }
  const [, , again, difference] = velocity;
  return {
    similarity: cosine(velocity),
    velocityError: difference === 0 ? 0 : Math.sqrt(difference / again),
    denoisedCosine: cosine(denoised),
    latentCosine: cosine(next),
    nonFinite,
  };
}

type Numbers = Float32Array | Float64Array;

function products(a: Numbers, b: Numbers): [number, number, number] {
  return [dot(a, b), dot(a, a), dot(b, b)];
}

function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}

type Products = readonly [cross: number, a: number, b: number, ...rest: number[]];

/** Held in [-1, 1], which rounding may leave by an ulp. */
function cosine([cross, a, b]: Products): number {
  if (a === 0 || b === 0) return 0;
  return Math.max(-1, Math.min(1, cross / Math.sqrt(a) / Math.sqrt(b)));
}
