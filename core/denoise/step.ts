import { roundHalf } from "../half.ts";
import type { PlanRow } from "../schedule/mod.ts";

/** What one step reads: arrays hold the newest first. All f32[n]. */
export interface StepInput {
  /** x_i, x_{i-1}, ...: at least `row.states` of them. */
  readonly states: readonly Float32Array[];
  /** D_{i-1}, D_{i-2}, ...: at least `row.history - 1` of them. */
  readonly denoised: readonly Float32Array[];
  /** The network's output for the prompt. */
  readonly output: Float32Array;
  /** Its output for the negative prompt, when there is guidance. */
  readonly negativeOutput: Float32Array | undefined;
  readonly guidanceScale: number;
  /** z_i, unit Gaussian; undefined where the row adds none. */
  readonly noise: Float32Array | undefined;
}

/** What one step commits: both hold float16 values as float32. */
export interface StepResult {
  readonly next: Float32Array;
  readonly denoised: Float32Array;
}

type Term = readonly [weight: number, values: Float32Array];

/**
 * One step of a plan, by the row and its inputs alone: classifier-free guidance, conversion of the
 * network's output to D_i, float16 rounding of D_i, the row's linear combination, float16 rounding
 * of x_{i+1}. CPU reference of `shaders/step.wgsl`; sums in f64, rounded to float32 and then float16.
 */
export function stepLatent(row: PlanRow, input: StepInput): StepResult {
  const denoised = combine([
    [row.fromX, input.states[0]],
    ...guided(input).map(([weight, values]): Term => [row.fromOut * weight, values]),
  ]);
  const history = [denoised, ...input.denoised];
  const next = combine([
    ...[row.keep, row.x1, row.x2, row.x3].slice(0, row.states)
      .map((weight, age): Term => [weight, input.states[age]]),
    ...[row.d0, row.d1, row.d2, row.d3].slice(0, row.history)
      .map((weight, age): Term => [weight, history[age]]),
    ...(input.noise ? [[row.noise, input.noise] as const] : []),
  ]);
  return { next, denoised };
}

/** negative + scale * (positive - negative), as weights. */
function guided({ output, negativeOutput, guidanceScale }: StepInput): Term[] {
  if (!negativeOutput) return [[1, output]];
  return [[guidanceScale, output], [1 - guidanceScale, negativeOutput]];
}

function combine(terms: readonly Term[]): Float32Array<ArrayBuffer> {
  const sum = new Float64Array(terms[0][1].length);
  for (const [weight, values] of terms) {
    if (weight === 0) continue;
    for (let j = 0; j < sum.length; j++) sum[j] += weight * values[j];
  }
  return roundHalf(new Float32Array(sum));
}
