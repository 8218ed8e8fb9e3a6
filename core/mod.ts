/**
 * Stepwise's core in one import: the parts that most callers start from. The rest is in the `mod.ts`
 * of each room of `core`; all of them run unchanged in Deno, in a browser and in a worker.
 *
 * ```ts
 * import { gaussianNoise, planFromConfig, processWeights } from "./mod.ts";
 *
 * const plan = planFromConfig({ _class_name: "EulerDiscreteScheduler" }, 20);
 * console.assert(plan.rows.length === 20);
 *
 * // Draw 0 of a seed is the initial latent: the same numbers on every machine.
 * const latent = gaussianNoise(7n, 0, 4 * 32 * 32);
 * console.assert(latent[0] === gaussianNoise(7n, 0, 1)[0]);
 *
 * const { weights } = processWeights({ scores: [3, 1], minAllowedWeights: 1, maxWeightLimit: 1 });
 * console.assert(weights[0] === 0.75);
 * ```
 */
export { gaussianNoise } from "./noise/mod.ts";
export { type Plan, planFromConfig, type PlanRow } from "./schedule/mod.ts";
export { emitWeights, processWeights, type ScoresToWeigh, type Weights } from "./incentive/mod.ts";
