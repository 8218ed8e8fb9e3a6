/**
 * The denoising loop of a model: resident on the device, read back after each step, and bare
 * network calls, which are the bound of what a loop can reach.
 *
 * ```ts
 * import { wantsLoops } from "./mod.ts";
 *
 * console.assert(wantsLoops({}));
 * console.assert(!wantsLoops({ filter: "residual" }));
 * ```
 */
export { benchLoops, wantsLoops, withLoops } from "./loops.ts";
export { type RecordedRun, type StepMachine, stepMachine } from "./single_steps.ts";
