/**
 * Benchmarks of the kernels and of the denoising loop, the same in Deno and in a browser: what is
 * measured (`kernels`, `loops`), and how it is reported (`report`).
 *
 * ```ts
 * import { benchJobs, formatMs, summarize } from "./mod.ts";
 *
 * const jobs = benchJobs({ quick: true, seconds: 10, filter: "step" });
 * console.assert(jobs.every((job) => job.startsWith("step")));
 *
 * const { median, mad } = summarize([1.1, 1.2, 1.3]);
 * console.assert(formatMs(median) === "1.20 ms" && mad < 0.11);
 * ```
 */
export {
  benchJobs,
  type BenchOptions,
  type BenchProgress,
  openWorkbench,
  runBench,
} from "./kernels/mod.ts";
export {
  benchLoops,
  type RecordedRun,
  type StepMachine,
  stepMachine,
  wantsLoops,
  withLoops,
} from "./loops/mod.ts";
export {
  type BenchReport,
  type BenchRow,
  beyond,
  type Change,
  compareReports,
  decodeHostReport,
  decodeReport,
  differentMachines,
  digits,
  type Figures,
  figuresOf,
  formatMs,
  grouped,
  type HostReport,
  median,
  percent,
  REPORT_STYLE,
  reportHtml,
  sizeName,
  spread,
  summarize,
  times,
} from "./report/mod.ts";
