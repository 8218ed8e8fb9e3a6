import { denoisedCombination, evaluate, nextCombination } from "./combination.ts";
import type { Plan } from "./plan.ts";

/**
 * The network's output at step i.
 * @param modelInput f32[n], already scaled by the row's `inScale`.
 */
export type StepModel = (i: number, modelInput: Float32Array, timestep: number) => Float32Array;

/**
 * The whole denoising loop on the CPU, states and predictions kept in single precision, without
 * guidance: for comparing plans with diffusers.
 * @param initialSample f32[n], x_0: noise already scaled by the plan's `initialScale`.
 * @param noise f32[n] of step i, unit Gaussian; called only where a row adds noise.
 * @returns x_1..x_N, f32[n] each.
 * @throws AppError `shape_mismatch` when an output or a noise has another length than the state.
 */
export function replay(
  plan: Plan,
  initialSample: Float32Array,
  model: StepModel,
  noise: (i: number) => Float32Array,
): Float32Array[] {
  const n = initialSample.length;
  // Newest first.
  const states = [initialSample];
  const denoised: Float32Array[] = [];
  for (const [i, row] of plan.rows.entries()) {
    const [x] = states;
    const output = model(i, x.map((value) => row.inScale * value), row.timestep);
    const guided = { output, negativeOutput: undefined, guidanceScale: 1 };
    denoised.unshift(evaluate(n, denoisedCombination(row, x, guided)));
    states.unshift(evaluate(n, nextCombination(row, { states, denoised, noise: () => noise(i) })));
  }
  return states.toReversed().slice(1);
}
