export { benchJobs, type BenchOptions, type BenchProgress, runBench } from "./bench.ts";
export { openWorkbench } from "./workbench.ts";
