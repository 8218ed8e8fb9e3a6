/**
 * Every GPU kernel against a copy of the same bytes, its CPU reference and onnxruntime, in rounds
 * that visit all contenders, so that a busy machine disturbs them alike.
 *
 * ```ts
 * import { benchJobs } from "./mod.ts";
 *
 * const all = benchJobs({ quick: true, seconds: 10 });
 * const some = benchJobs({ quick: true, seconds: 10, filter: "residual" });
 * console.assert(0 < some.length && some.length < all.length);
 * ```
 */
export { benchJobs, type BenchOptions, type BenchProgress, runBench } from "./bench.ts";
export { openWorkbench } from "./workbench.ts";
