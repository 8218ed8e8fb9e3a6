import { AppError } from "../error.ts";
import type { Plan, PlanRow, StartWeights } from "./plan.ts";

/** A weight, and the tensor that it multiplies: f32[n]. */
export type Term = readonly [weight: number, values: Float32Array];

/** A linear combination of tensors. Terms whose weight is 0 are left out, and so read nothing. */
export interface Combination {
  readonly terms: readonly Term[];
  /** Gaussian noise, kept separate since every side evaluates it for itself. */
  readonly noise?: Term;
  /** What stands in the sum's place where a mask keeps the source: mask * sum + (1 - mask) * kept. */
  readonly kept?: Combination & { readonly mask: Float32Array };
}

/** What a run starts from, and keeps where a mask says so. All f32[n]. */
export interface Source {
  /** s, the source image's latent in the network's scale. */
  readonly latent: Float32Array;
  /** 1 where the image is made anew, 0 where the source stays, on all channels alike. */
  readonly mask?: Float32Array;
  /** k, the latent of what the mask keeps, for a network that reads it and the mask; no row does. */
  readonly kept?: Float32Array;
}

/** The network's output for one state. All f32[n]. */
export interface GuidedOutput {
  /** For the prompt. */
  readonly output: Float32Array;
  /** For the negative prompt, when there is guidance. */
  readonly negativeOutput: Float32Array | undefined;
  /** Of classifier-free guidance; unread without a negative output. */
  readonly guidanceScale: number;
  /** How far the deviation is taken back to that of `output`, 0 to 1; 0 if left out. */
  readonly guidanceRescale?: number;
}

/** What x_{i+1} is combined from, newest first: as many as the row has weights. All f32[n]. */
export interface StepTensors {
  /** x_i, x_{i-1}, ... */
  readonly states: readonly Float32Array[];
  /** D_i, D_{i-1}, ... */
  readonly denoised: readonly Float32Array[];
  /** z_i, unit Gaussian; called only where the row adds noise. */
  readonly noise: () => Float32Array;
  /** Where the row blends: the source, and z_0, the noise of the run's start. */
  readonly source?: Source;
  readonly startNoise?: () => Float32Array;
}

/** Weights of D_i in the state and in the network's two outputs. */
export interface PredictionWeights {
  readonly fromX: number;
  readonly fromPositive: number;
  readonly fromNegative: number;
}

/**
 * D_i = fromX * x_i + fromOut * (negative + scale * (positive - negative)), as weights.
 * @param guidanceScale undefined where there is no negative prompt.
 */
export function predictionWeights(
  { fromX, fromOut }: Pick<PlanRow, "fromX" | "fromOut">,
  guidanceScale: number | undefined,
): PredictionWeights {
  if (guidanceScale === undefined) return { fromX, fromPositive: fromOut, fromNegative: 0 };
  const [fromPositive, fromNegative] = [fromOut * guidanceScale, fromOut * (1 - guidanceScale)];
  return { fromX, fromPositive, fromNegative };
}

/** D_i, the denoised prediction of state x_i. */
export function denoisedCombination(
  row: Pick<PlanRow, "fromX" | "fromOut">,
  state: Float32Array,
  guided: GuidedOutput,
): Combination {
  const { output, negativeOutput, guidanceScale } = guided;
  const fromOut = row.fromOut * rescaling(guided);
  const weights = predictionWeights({ ...row, fromOut }, negativeOutput && guidanceScale);
  return {
    terms: termsOf([weights.fromX, weights.fromPositive, weights.fromNegative], [
      state,
      output,
      ...(negativeOutput ? [negativeOutput] : []),
    ]),
  };
}

/**
 * What guidance is multiplied by so that its deviation is nearer to that of the prompt alone.
 * @see https://arxiv.org/abs/2305.08891, equations 15 and 16.
 */
function rescaling(
  { output, negativeOutput, guidanceScale, guidanceRescale = 0 }: GuidedOutput,
): number {
  if (guidanceRescale === 0 || !negativeOutput) return 1;
  const guided = weightedSum(output.length, [
    [guidanceScale, output],
    [1 - guidanceScale, negativeOutput],
  ]);
  const back = deviation(output) / deviation(guided);
  return guidanceRescale * back + (1 - guidanceRescale);
}

/** Summed in order, in double precision: the same everywhere. */
function deviation(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** x_{i+1}, the next state. */
export function nextCombination(
  row: Pick<PlanRow, "states" | "denoised" | "noise" | "blend">,
  tensors: StepTensors,
): Combination {
  const { states, denoised, noise } = tensors;
  const terms = [...termsOf(row.states, states), ...termsOf(row.denoised, denoised)];
  return {
    terms,
    ...(row.noise !== 0 && { noise: [row.noise, noise()] as const }),
    ...(row.blend && { kept: keptCombination(row.blend, tensors) }),
  };
}

/** @throws AppError `shape_mismatch` for a row that blends, without what it blends with. */
function keptCombination(
  { source: ofSource, noise: ofNoise }: StartWeights,
  { source, startNoise }: StepTensors,
): NonNullable<Combination["kept"]> {
  if (!source?.mask || !startNoise) {
    throw new AppError("shape_mismatch", "Cannot combine a step: its source or mask is missing");
  }
  return {
    mask: source.mask,
    terms: [[ofSource, source.latent]],
    ...(ofNoise !== 0 && { noise: [ofNoise, startNoise()] as const }),
  };
}

/**
 * x_0 as a step before the first: a row that has noise alone, and the source as a prediction of one
 * step before.
 */
export function startRow({ rows: [first], initialScale, sourceScale = 0 }: Plan): PlanRow {
  const { blend: _, ...row } = first;
  const denoised = sourceScale === 0 ? [0] : [0, sourceScale];
  return { ...row, fromX: 0, fromOut: 0, states: [0], denoised, noise: initialScale };
}

/** x_0 = initialScale * z + sourceScale * s. */
export function startCombination(plan: Plan, noise: Float32Array, source?: Source): Combination {
  // Its weight is 0 where there is no source.
  const denoised = [noise, source?.latent ?? noise];
  return nextCombination(startRow(plan), { states: [], denoised, noise: () => noise });
}

function termsOf(weights: readonly number[], tensors: readonly Float32Array[]): Term[] {
  return weights.flatMap((weight, age) => weight === 0 ? [] : [[weight, tensors[age]] as const]);
}

/** All terms in the order in which they are summed: states, predictions, noise. */
export function allTerms({ terms, noise }: Combination): readonly Term[] {
  return noise ? [...terms, noise] : terms;
}

/** The combination's value in double precision, the blend with what is kept included: f64[n]. */
export function combined(length: number, combination: Combination): Float64Array {
  const sum = weightedSum(length, allTerms(combination));
  const { kept } = combination;
  if (!kept) return sum;
  const others = weightedSum(length, allTerms(kept));
  return sum.map((value, j) => kept.mask[j] * value + (1 - kept.mask[j]) * others[j]);
}

/**
 * The sum, accumulated in double precision.
 * @param length n.
 * @returns f64[n]; zeros where there are no terms.
 * @throws AppError `shape_mismatch` when a tensor has another length.
 */
function weightedSum(length: number, terms: readonly Term[]): Float64Array {
  const sum = new Float64Array(length);
  for (const [weight, values] of terms) {
    if (values.length !== length) {
      throw new AppError(
        "shape_mismatch",
        `Cannot combine a step: lengths are ${length} and ${values.length}`,
      );
    }
    for (let j = 0; j < length; j++) sum[j] += weight * values[j];
  }
  return sum;
}

/** The sum, rounded once: f32[n]. @throws AppError as {@link weightedSum}. */
export function evaluate(length: number, combination: Combination): Float32Array<ArrayBuffer> {
  return new Float32Array(combined(length, combination));
}
