import { throwIfAborted } from "../error.ts";
import { roundHalf, toHalf } from "../half.ts";
import type { Model, Tensor, TextEmbedding } from "../inference/mod.ts";
import { gaussianNoise } from "../noise/mod.ts";
import type { Plan, PlanRow } from "../schedule/mod.ts";
import type { Conditioning } from "./conditioning.ts";
import { stepLatent } from "./step.ts";

/** Channels, height and width of one image's latent. */
export type LatentDims = readonly [channels: number, height: number, width: number];

/** A tensor that a transcript commits to, as float16 bits: u16[batch, channels, height, width]. */
export interface Leaf {
  /** `x`: a state, 0 to N. `d`: a denoised prediction, 0 to N - 1. */
  readonly kind: "x" | "d";
  readonly index: number;
  readonly bits: Uint16Array<ArrayBuffer>;
}

export interface LoopEvents {
  /** Each leaf once, in the transcript's order: x0, d0, x1, d1, ..., xN. */
  readonly onLeaf?: (leaf: Leaf) => void;
  /** After a step, with D_i of each image as f32. */
  readonly onStep?: (index: number, denoised: readonly Float32Array[]) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds, from any origin. */
  readonly clock: () => number;
}

export interface LoopInput {
  readonly plan: Plan;
  readonly dims: LatentDims;
  /** One for each image. */
  readonly seeds: readonly bigint[];
  readonly conditioning: Conditioning;
  readonly guidanceScale: number;
  /** SDXL's size conditioning. */
  readonly timeIds: readonly number[];
}

export interface LoopResult {
  /** x_N of each image, f32[channels, height, width] each. */
  readonly latents: readonly Float32Array[];
  /** Milliseconds in the network, one a step. */
  readonly networkMs: readonly number[];
  /** Milliseconds in noise, guidance, solver and rounding, all steps together. */
  readonly solverMs: number;
}

/** One image on its way: its newest states and predictions first. */
interface Run {
  readonly seed: bigint;
  states: readonly Float32Array[];
  denoised: readonly Float32Array[];
}

/** A row reads at most this many states and predictions. */
const REACH = 4;

/**
 * The denoising loop. Every state and prediction is rounded to float16 before it is used again, so
 * that what a transcript commits to is what the next step consumed.
 * @throws AppError `cancelled` between two network calls.
 */
export async function denoise(
  model: Model,
  input: LoopInput,
  events: LoopEvents,
): Promise<LoopResult> {
  const length = input.dims.reduce((product, side) => product * side, 1);
  const started = events.clock();
  const runs = input.seeds.map((seed): Run => ({
    seed,
    states: [initialState(seed, input.plan, length)],
    denoised: [],
  }));
  const grouped = { groups: groupImages(model, input), dims: input.dims };
  emit(events, "x", 0, runs.map(({ states }) => states[0]));
  const networkMs: number[] = [];
  for (const [i, row] of input.plan.rows.entries()) {
    const before = events.clock();
    const outputs = await predict(model, grouped, row, runs, events.signal);
    networkMs.push(events.clock() - before);
    for (const [k, run] of runs.entries()) advance(run, i, row, outputs[k], input.guidanceScale);
    emit(events, "d", i, runs.map((run) => run.denoised[0]));
    emit(events, "x", i + 1, runs.map((run) => run.states[0]));
    events.onStep?.(i, runs.map((run) => run.denoised[0]));
  }
  const network = networkMs.reduce((sum, ms) => sum + ms, 0);
  const solverMs = events.clock() - started - network;
  return { latents: runs.map(({ states }) => states[0]), networkMs, solverMs };
}

function initialState(seed: bigint, plan: Plan, length: number): Float32Array {
  return roundHalf(gaussianNoise(seed, 0, length).map((value) => plan.initialScale * value));
}

function advance(
  run: Run,
  i: number,
  row: PlanRow,
  output: Prediction,
  guidanceScale: number,
): void {
  const noise = row.noise === 0 ? undefined : gaussianNoise(run.seed, i + 1, run.states[0].length);
  const { next, denoised } = stepLatent(row, { ...run, ...output, guidanceScale, noise });
  run.states = [next, ...run.states].slice(0, REACH);
  run.denoised = [denoised, ...run.denoised].slice(0, REACH);
}

/** What the network said of one image. */
interface Prediction {
  readonly output: Float32Array;
  readonly negativeOutput: Float32Array | undefined;
}

/** The network's predictions for all images, in calls of as many images as the runtime likes. */
async function predict(
  model: Model,
  { groups, dims }: Grouped,
  row: PlanRow,
  runs: readonly Run[],
  signal: AbortSignal | undefined,
): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  for (const { first, images, guided, constant } of groups) {
    throwIfAborted(signal, "generate");
    const states = runs.slice(first, first + images).map((run) => run.states[0]);
    const scaled = scale(join(states), row.inScale);
    const sample = guided ? join([scaled, scaled]) : scaled;
    const rows = [guided ? 2 * images : images, ...dims];
    const output = await model.unet.predict(sample, rows, row.timestep, constant);
    predictions.push(...predictionsOf(output, images, guided));
  }
  return predictions;
}

/** The rows of the negative prompt come first, when there is guidance. */
function predictionsOf(output: Float32Array, images: number, guided: boolean): Prediction[] {
  const rows = split(output, output.length / (guided ? 2 * images : images));
  return Array.from({ length: images }, (_, k) => ({
    output: rows[guided ? images + k : k],
    negativeOutput: guided ? rows[k] : undefined,
  }));
}

/** Images that go through the network in one call, with what the network is told of them. */
interface Group {
  readonly first: number;
  readonly images: number;
  readonly guided: boolean;
  readonly constant: Readonly<Record<string, Tensor>>;
}

interface Grouped {
  readonly groups: readonly Group[];
  readonly dims: LatentDims;
}

function groupImages(model: Model, input: LoopInput): Group[] {
  const { positive, negative } = input.conditioning;
  const groups: Group[] = [];
  const size = model.runtime.imagesPerCall;
  for (let first = 0; first < input.seeds.length; first += size) {
    const images = Math.min(size, input.seeds.length - first);
    const rows = (text: TextEmbedding) => Array.from({ length: images }, () => text);
    const text = [...(negative ? rows(negative) : []), ...rows(positive)];
    const { timeIds, guidanceScale } = input;
    const constant = model.unet.constantInputs({ text, timeIds, guidanceScale });
    groups.push({ first, images, guided: negative !== undefined, constant });
  }
  return groups;
}

function scale(values: Float32Array, factor: number): Float32Array {
  return factor === 1 ? values : values.map((value) => factor * value);
}

function emit(
  { onLeaf }: LoopEvents,
  kind: Leaf["kind"],
  index: number,
  images: readonly Float32Array[],
): void {
  if (onLeaf) onLeaf({ kind, index, bits: toHalf(join(images)) });
}

function join(rows: readonly Float32Array[]): Float32Array {
  if (rows.length === 1) return rows[0];
  const values = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  rows.forEach((row, k) => values.set(row, k * row.length));
  return values;
}

function split(values: Float32Array, length: number): Float32Array[] {
  return Array.from(
    { length: values.length / length },
    (_, k) => values.subarray(k * length, (k + 1) * length),
  );
}
