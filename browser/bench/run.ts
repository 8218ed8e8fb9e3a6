import {
  type BenchOptions,
  type BenchProgress,
  type HostReport,
  openWorkbench,
  runBench,
} from "../../core/gpu/bench/mod.ts";
import { browserRuntime, openGpu } from "../engine/mod.ts";

/**
 * Runs the bench on this browser's GPU.
 * @throws AppError `host_unavailable` saying what the browser lacks.
 */
export async function benchBrowser(
  options: BenchOptions,
  onProgress: (progress: BenchProgress) => void,
): Promise<HostReport> {
  using gpu = await openGpu();
  using bench = openWorkbench(await browserRuntime(gpu));
  const facts = { host: "browser", software: browserName(navigator.userAgent) } as const;
  return await runBench(bench, facts, options, onProgress);
}

/** `Chrome/156.0.0.0`: the last that a browser calls itself is its own name, but for Safari's. */
function browserName(userAgent: string): string {
  const found = /(?:Edg|OPR|Firefox)\/[\d.]+/.exec(userAgent) ??
    /(?:Chrome|Version)\/[\d.]+/.exec(userAgent);
  return found?.[0].replace("Version", "Safari") ?? userAgent;
}
