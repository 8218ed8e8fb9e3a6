import { throwIfAborted } from "../error.ts";
import { roundHalf, toHalf } from "../half.ts";
import { joinRows, type Model, splitRows } from "../inference/mod.ts";
import { gaussianNoise } from "../noise/mod.ts";
import { evaluate, MAX_REACH, type PlanRow, startCombination } from "../schedule/mod.ts";
import { controlInputs } from "./control.ts";
import { groupImages, type ImageGroup } from "./image_groups.ts";
import type { Leaf, LoopEvents, LoopInput, LoopResult } from "./loop_input.ts";
import { notFinite } from "./not_finite.ts";
import { stepLatent } from "./step.ts";

/** One image in progress: its newest states and predictions first. */
interface Run {
  readonly seed: bigint;
  states: readonly Float32Array[];
  denoised: readonly Float32Array[];
}

/**
 * The denoising loop on the CPU.
 * @throws AppError `cancelled` between two network calls, `not_finite`.
 */
export async function denoiseOnCpu(
  model: Model,
  input: LoopInput,
  events: LoopEvents,
): Promise<LoopResult> {
  const length = input.dims.reduce((product, side) => product * side, 1);
  const started = events.clock();
  const runs = input.seeds.map((seed): Run => ({
    seed,
    states: [initialState(seed, input, length)],
    denoised: [],
  }));
  const groups = groupImages(model, input);
  const steps = input.plan.rows.length;
  emit(events, "x", 0, steps, runs.map(({ states }) => states[0]));
  const networkMs: number[] = [];
  for (const [i, row] of input.plan.rows.entries()) {
    const before = events.clock();
    const outputs = await predict(model, groups, input, i, runs, events.signal);
    networkMs.push(events.clock() - before);
    for (const [k, run] of runs.entries()) advance(run, i, row, outputs[k], input);
    emit(events, "d", i, steps, runs.map((run) => run.denoised[0]));
    emit(events, "x", i + 1, steps, runs.map((run) => run.states[0]));
    events.onStep?.(i, runs.map((run) => run.denoised[0]));
  }
  const network = networkMs.reduce((sum, ms) => sum + ms, 0);
  const solverMs = events.clock() - started - network;
  return { latents: runs.map(({ states }) => states[0]), networkMs, solverMs };
}

function initialState(seed: bigint, { plan, source }: LoopInput, length: number): Float32Array {
  const noise = gaussianNoise(seed, 0, length);
  return roundHalf(evaluate(length, startCombination(plan, noise, source)));
}

function advance(
  run: Run,
  i: number,
  row: PlanRow,
  output: Prediction,
  { guidanceScale, guidanceRescale, source }: LoopInput,
): void {
  const draw = (k: number) => () => gaussianNoise(run.seed, k, run.states[0].length);
  const { next, denoised } = stepLatent(row, {
    ...run,
    ...output,
    guidanceScale,
    guidanceRescale,
    noise: draw(i + 1),
    source,
    startNoise: draw(0),
  });
  run.states = [next, ...run.states].slice(0, MAX_REACH);
  run.denoised = [denoised, ...run.denoised].slice(0, MAX_REACH);
}

/** The network's output for one image. */
interface Prediction {
  readonly output: Float32Array;
  readonly negativeOutput: Float32Array | undefined;
}

/** The network's predictions for all images, in calls of as many images as the runtime likes. */
async function predict(
  model: Model,
  groups: readonly ImageGroup[],
  { dims, control, plan: { rows } }: LoopInput,
  index: number,
  runs: readonly Run[],
  signal: AbortSignal | undefined,
): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  const { inScale, timestep } = rows[index];
  for (const { first, images, guided, constant, controls } of groups) {
    throwIfAborted(signal, "generate");
    const states = runs.slice(first, first + images).map((run) => run.states[0]);
    const scaled = scale(joinRows(states), inScale);
    const sample = guided ? joinRows([scaled, scaled]) : scaled;
    const shape = [guided ? 2 * images : images, ...dims];
    const call = { sample, dims: shape, timestep, index, steps: rows.length };
    const inputs = { ...constant, ...await controlInputs(control, controls, call) };
    const unet = control?.unet ?? model.unet;
    const output = await unet.predict(sample, shape, [timestep], inputs);
    predictions.push(...predictionsOf(output, images, guided));
  }
  return predictions;
}

/** The rows of the negative prompt come first, when there is guidance. */
function predictionsOf(output: Float32Array, images: number, guided: boolean): Prediction[] {
  const rows = splitRows(output, output.length / (guided ? 2 * images : images));
  return Array.from({ length: images }, (_, k) => ({
    output: rows[guided ? images + k : k],
    negativeOutput: guided ? rows[k] : undefined,
  }));
}

function scale(values: Float32Array, factor: number): Float32Array {
  return factor === 1 ? values : values.map((value) => factor * value);
}

/** Nothing that has left float16's range is used further, or committed to. */
function emit(
  { onLeaf }: LoopEvents,
  kind: Leaf["kind"],
  index: number,
  steps: number,
  images: readonly Float32Array[],
): void {
  if (!images.every((values) => values.every(Number.isFinite))) {
    throw notFinite(kind, index, steps);
  }
  if (onLeaf) onLeaf({ kind, index, bits: toHalf(joinRows(images)) });
}
