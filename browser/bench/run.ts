import {
  type BenchOptions,
  type BenchProgress,
  type HostReport,
  openWorkbench,
  runBench,
  stepMachine,
  withLoops,
} from "../../core/bench/mod.ts";

import { Pipeline } from "../../core/generation/mod.ts";
import type { ModelDescription } from "../../core/remote/mod.ts";
import { browserRuntime, HttpFiles, openGpu } from "../engine/mod.ts";

/**
 * Runs the bench on this browser's GPU, and where a model is given that model's loop.
 * @throws AppError `host_unavailable` saying what the browser lacks.
 */
export async function benchBrowser(
  options: BenchOptions,
  onProgress: (progress: BenchProgress) => void,
  model?: ModelDescription,
): Promise<HostReport> {
  using gpu = await openGpu();
  const runtime = await browserRuntime(gpu);
  using bench = openWorkbench(runtime);
  const facts = { host: "browser", software: browserName(navigator.userAgent) } as const;
  const report = await runBench(bench, facts, options, onProgress);
  return model ? await withLoops(report, new HttpFiles(model), runtime, options) : report;
}

/**
 * Loads a model as `stepwiseMachine`, for a host that compares its single steps with those of others.
 * @throws AppError as {@link Pipeline.open}.
 */
export async function openMachine(model: ModelDescription): Promise<void> {
  const runtime = await browserRuntime(await openGpu());
  const pipeline = await Pipeline.open(new HttpFiles(model), runtime);
  Object.assign(globalThis, { stepwiseMachine: stepMachine(pipeline) });
}

/** `Chrome/156.0.0.0`: the last that a browser calls itself is its own name, but for Safari's. */
function browserName(userAgent: string): string {
  const found = /(?:Edg|OPR|Firefox)\/[\d.]+/.exec(userAgent) ??
    /(?:Chrome|Version)\/[\d.]+/.exec(userAgent);
  return found?.[0].replace("Version", "Safari") ?? userAgent;
}
