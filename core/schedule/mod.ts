/**
 * Schedulers as data. A solver's settings, as diffusers writes them in `scheduler_config.json`, and
 * a number of steps become a {@link Plan}: a table with a row a step, computed once in double
 * precision. Every solver here is linear, so one combination (`combination.ts`) takes a step of any
 * of them: in the CPU loop, in the kernel, in a check.
 *
 * A scheduler is added as a file `settings -> Plan`, with its settings in `config.ts` and its class
 * in `plan_from_config.ts`.
 *
 * ```ts
 * import { planFromConfig, replay } from "./mod.ts";
 *
 * const plan = planFromConfig({ _class_name: "DPMSolverMultistepScheduler" }, 20);
 * // The first step knows one prediction, those after it combine two.
 * console.assert(plan.rows[0].denoised.length === 1 && plan.rows[5].denoised.length === 2);
 *
 * // A network that always finds the true noise is led to the image, here two numbers.
 * const [image, noise] = [Float32Array.of(0.3, -0.7), Float32Array.of(1.1, 0.4)];
 * const { alpha, sigma } = plan.rows[0];
 * const start = image.map((x0, j) => alpha * x0 + sigma * noise[j]);
 * const states = replay(plan, start, () => noise, () => noise);
 * console.assert(image.every((x0, j) => Math.abs(states[19][j] - x0) < 1e-4));
 * ```
 */
export {
  allTerms,
  type Combination,
  combined,
  denoisedCombination,
  evaluate,
  type GuidedOutput,
  nextCombination,
  predictionWeights,
  type Source,
  startCombination,
  startRow,
  type StepTensors,
  type Term,
} from "./combination.ts";
export {
  type DenoisedWeights,
  denoisedWeights,
  type Marginal,
  MAX_REACH,
  type Plan,
  type PlanRow,
  type PredictionType,
} from "./plan.ts";
export { log } from "./portable_math.ts";
export { refuseOverflow } from "./float16_range.ts";
export { needsStandIn, refuseForeignNoise } from "./other_schedulers.ts";
export { planFromConfig, type PlanOptions, stepsTaken } from "./plan_from_config.ts";
export { addsOptions, pipelineOptions } from "./pipeline_options.ts";
export { schedulerConfigFromName, schedulerNames } from "./presets.ts";
export { replay, type StepModel } from "./replay.ts";
