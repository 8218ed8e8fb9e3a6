import { throwIfAborted } from "../error.ts";
import { roundHalf, toHalf } from "../half.ts";
import type { Model, UnetConditioning } from "../inference/mod.ts";
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
  emit(events, "x", 0, runs.map(({ states }) => states[0]));
  const networkMs: number[] = [];
  for (const [i, row] of input.plan.rows.entries()) {
    const before = events.clock();
    const outputs = await predict(model, input, row, runs, events.signal);
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
  input: LoopInput,
  row: PlanRow,
  runs: readonly Run[],
  signal: AbortSignal | undefined,
): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  const size = model.runtime.imagesPerCall;
  for (let first = 0; first < runs.length; first += size) {
    throwIfAborted(signal, "generate");
    const states = runs.slice(first, first + size).map((run) => run.states[0]);
    predictions.push(...await predictSome(model, input, row, states));
  }
  return predictions;
}

/** One network call: the rows of the negative prompt come first, when there is guidance. */
async function predictSome(
  model: Model,
  { conditioning: { positive, negative }, ...input }: LoopInput,
  row: PlanRow,
  states: readonly Float32Array[],
): Promise<Prediction[]> {
  const images = states.length;
  const scaled = join(states).map((value) => row.inScale * value);
  const sample = negative ? join([scaled, scaled]) : scaled;
  const conditioning: UnetConditioning = {
    text: [
      ...(negative ? states.map(() => negative) : []),
      ...states.map(() => positive),
    ],
    timeIds: input.timeIds,
    guidanceScale: input.guidanceScale,
  };
  const dims = [negative ? 2 * images : images, ...input.dims];
  const output = await model.unet.predict(sample, dims, row.timestep, conditioning);
  const rows = split(output, states[0].length);
  return states.map((_, k) => ({
    output: rows[negative ? images + k : k],
    negativeOutput: negative ? rows[k] : undefined,
  }));
}

function emit(
  { onLeaf }: LoopEvents,
  kind: Leaf["kind"],
  index: number,
  images: readonly Float32Array[],
): void {
  onLeaf?.({ kind, index, bits: toHalf(join(images)) });
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
