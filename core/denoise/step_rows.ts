import { NO_ROW, rescaleGuidance, STEP_TERMS, stepFloat32 } from "../../shaders/mod.ts";
import { packStructs, type StructValues } from "../gpu/mod.ts";
import {
  MAX_REACH,
  type Plan,
  type PlanRow,
  predictionWeights,
  type Source,
  startRow,
} from "../schedule/mod.ts";

/** What one image's step needs besides its plan row. Places in the ring count fours of elements. */
export interface StepPlace {
  /** Elements of one image's latent. */
  readonly n: number;
  readonly seed: bigint;
  /** Which draw of the seed is the step's noise: i + 1 for step i. */
  readonly draw: number;
  /** Undefined where there is no negative prompt. */
  readonly guidanceScale: number | undefined;
  /** The image's row of the network's tensors, for the prompt. */
  readonly positiveRow: number;
  /** For the negative prompt; unread without guidance. */
  readonly negativeRow: number;
  /** Of the network's next call. */
  readonly inScale: number;
  /** Of x_i, x_{i-1}, ...: four. */
  readonly stateAt: readonly number[];
  /** Of D_i, D_{i-1}, ...: four. D_i is written, and may take the place of D_{i-4}. */
  readonly denoisedAt: readonly number[];
  /** Of x_{i+1}, which is written and may take the place of x_{i-3}. */
  readonly nextAt: number;
}

export type StepRow = StructValues<keyof typeof stepFloat32.parameters.fields>;

/** How a batch lies in the network's tensors and in the ring. */
export interface StepBatch {
  readonly n: number;
  /** One for each image. */
  readonly seeds: readonly bigint[];
  /** Undefined where there is no negative prompt. */
  readonly guidanceScale: number | undefined;
  /** How far guidance's deviation is taken back, 0 to 1; unread without a negative prompt. */
  readonly guidanceRescale: number;
  /** That all images start from, and keep where there is a mask. */
  readonly source?: Source;
}

/** One image's row of the step kernel. */
export function stepRow(row: PlanRow, place: StepPlace): StepRow {
  return {
    ...predictionWeights(row, place.guidanceScale),
    states: paddedWeights(row.states),
    denoised: paddedWeights(row.denoised),
    noise: row.noise,
    stateAt: place.stateAt,
    denoisedAt: place.denoisedAt,
    nextAt: place.nextAt,
    n: place.n,
    positiveRow: place.positiveRow,
    negativeRow: place.guidanceScale === undefined ? NO_ROW : place.negativeRow,
    inScale: place.inScale,
    draw: place.draw,
    seedLow: Number(place.seed & 0xffffffffn),
    seedHigh: Number(place.seed >> 32n),
    blendSource: row.blend?.source ?? 0,
    blendNoise: row.blend?.noise ?? 0,
  };
}

/** The kernel's vec4f: weights that a row does not have are 0. */
function paddedWeights(weights: readonly number[]): number[] {
  return Array.from({ length: MAX_REACH }, (_, age) => weights[age] ?? 0);
}

/**
 * The step kernel's constant TERMS for rows that share a dispatch: the terms that every row has.
 * Rows that differ in that get 0, for which the kernel reads each row's weights.
 */
function stepTerms(rows: readonly StepRow[]): number {
  const [first, ...others] = rows.map(termsOf);
  return others.every((terms) => terms === first) ? first : 0;
}

function termsOf({ fromX, fromPositive, fromNegative, noise, states, denoised }: StepRow): number {
  const weights = [fromX, fromPositive, fromNegative, states, denoised, noise].flat();
  const bits = Object.values(STEP_TERMS);
  return weights.reduce<number>((terms, weight, k) => terms | (weight === 0 ? 0 : bits[k]), 0);
}

/**
 * Bytes of a ring for a batch: f32[4 states + 4 predictions, images, n rounded up to fours]. Four
 * of each is as far as a plan's row reaches.
 */
export function ringBytes({ n, seeds }: StepBatch): number {
  return 2 * MAX_REACH * seeds.length * Math.ceil(n / 4) * 16;
}

/** Where x_i (`x`) or D_i (`d`) of an image lies in the ring, in fours of elements. */
export function ringPlace(batch: StepBatch, kind: "x" | "d", i: number, image: number): number {
  const slot = (kind === "x" ? 0 : MAX_REACH) + (i + 2 * MAX_REACH) % MAX_REACH;
  return (slot * batch.seeds.length + image) * Math.ceil(batch.n / 4);
}

/**
 * Where the source's latent lies in the ring when x_0 is made: as the prediction of one step before, which
 * {@link startRow} reads.
 */
export function sourcePlace(batch: StepBatch, image: number): number {
  return ringPlace(batch, "d", -2, image);
}

/** The rows of one dispatch, an image each. */
export interface RowSet {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the rescaling of guidance reads, for the step's weights; undefined where there is none. */
  readonly rescales: Uint8Array<ArrayBuffer> | undefined;
  /** The kernel's constant TERMS. */
  readonly terms: number;
}

/** The row sets of a whole run: first that of x_0, a step of noise alone, then those of each step. */
export function packPlan(plan: Plan, batch: StepBatch): readonly RowSet[] {
  return [startRow(plan), ...plan.rows].map((row, k) => {
    const inScale = plan.rows[k]?.inScale ?? 1;
    const rows = batch.seeds.map((_, image) =>
      stepRow(row, placeInBatch(batch, k - 1, image, inScale))
    );
    const bytes = packStructs(stepFloat32.parameters, rows);
    // x_0 is made of noise alone.
    const rescales = k > 0 ? packRescales(rows, batch) : undefined;
    return { bytes, rescales, terms: stepTerms(rows) };
  });
}

function packRescales(
  rows: readonly StepRow[],
  { guidanceScale: scale, guidanceRescale: share }: StepBatch,
): Uint8Array<ArrayBuffer> | undefined {
  if (scale === undefined || share === 0) return undefined;
  return packStructs(rescaleGuidance.parameters, rows.map((row) => ({ ...row, scale, share })));
}

/** Rows of the network's tensors: negative prompts first, when there is guidance. */
function placeInBatch(batch: StepBatch, i: number, image: number, inScale: number): StepPlace {
  const { n, seeds, guidanceScale } = batch;
  const ages = Array.from({ length: MAX_REACH }, (_, age) => i - age);
  return {
    n,
    seed: seeds[image],
    draw: i + 1,
    guidanceScale,
    positiveRow: guidanceScale === undefined ? image : seeds.length + image,
    negativeRow: image,
    inScale,
    stateAt: ages.map((age) => ringPlace(batch, "x", age, image)),
    denoisedAt: ages.map((age) => ringPlace(batch, "d", age, image)),
    nextAt: ringPlace(batch, "x", i + 1, image),
  };
}
