import { roundHalf } from "../half.ts";
import {
  denoisedCombination,
  evaluate,
  type GuidedOutput,
  nextCombination,
  type PlanRow,
  type StepTensors,
} from "../schedule/mod.ts";

/** What one step reads, newest first. All f32[n]. */
export interface StepInput
  extends GuidedOutput, Pick<StepTensors, "states" | "noise" | "source" | "startNoise"> {
  /** D_{i-1}, D_{i-2}, ...: as many as the row reads besides D_i. */
  readonly denoised: readonly Float32Array[];
}

/** What one step commits: both hold float16 values as float32. */
export interface StepResult {
  readonly next: Float32Array;
  readonly denoised: Float32Array;
}

/**
 * One step of a plan, by the row and its inputs alone: classifier-free guidance, conversion of the
 * network's output to D_i, float16 rounding of D_i, the row's linear combination, float16 rounding
 * of x_{i+1}. CPU reference of `shaders/step.wgsl`; sums in f64, rounded to float32 and then float16.
 * @throws AppError `shape_mismatch` when tensors differ in length.
 */
export function stepLatent(row: PlanRow, input: StepInput): StepResult {
  const [x] = input.states;
  const denoised = roundHalf(evaluate(x.length, denoisedCombination(row, x, input)));
  const history = [denoised, ...input.denoised];
  const combination = nextCombination(row, { ...input, denoised: history });
  return { next: roundHalf(evaluate(x.length, combination)), denoised };
}
