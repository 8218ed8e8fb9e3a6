/**
 * The denoising loop: a plan, noise and a network make the last latent, on the CPU or on a GPU.
 * Every state and prediction is rounded to float16 before it is used again, so what a transcript
 * commits to is what the next step consumed. `stepLatent` is one step by its inputs alone, and the
 * reference of the kernel `shaders/step.wgsl`.
 *
 * ```ts
 * import { gaussianNoise } from "../noise/mod.ts";
 * import { planFromConfig } from "../schedule/mod.ts";
 * import { stepLatent } from "./mod.ts";
 *
 * const config = { _class_name: "DDIMScheduler", clip_sample: false };
 * const { rows: [row], initialScale } = planFromConfig(config, 4);
 * const state = gaussianNoise(7n, 0, 16).map((z) => initialScale * z);
 * const { next, denoised } = stepLatent(row, {
 *   states: [state],
 *   denoised: [],
 *   // What a network that finds no noise at all would say.
 *   output: new Float32Array(16),
 *   negativeOutput: undefined,
 *   guidanceScale: 1,
 *   noise: () => gaussianNoise(7n, 1, 16),
 * });
 * console.assert(next.length === 16 && Math.abs(denoised[0] * row.alpha - state[0]) < 1e-2);
 * ```
 */
export type { RunControl } from "./control.ts";
export { denoise } from "./loop.ts";
export type { LatentDims } from "./latent_dims.ts";
export type { Leaf } from "./loop_input.ts";
export { predictSteps } from "./predict_steps.ts";
export { stepLatent } from "./step.ts";
export { packPlan, ringPlace, stepRow } from "./step_rows.ts";
export { type NetworkType, prepareSteps, stepKernel, type StepRun } from "./step_run.ts";
export type { StepState } from "./step_state.ts";
