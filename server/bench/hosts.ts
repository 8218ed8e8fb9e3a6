import { AppError } from "../../core/error.ts";
import {
  type BenchOptions,
  type BenchProgress,
  type BenchReport,
  decodeHostReport,
  type HostReport,
  openWorkbench,
  runBench,
  wantsLoops,
  withLoops,
} from "../../core/bench/mod.ts";

import type { ModelFiles } from "../../core/model/mod.ts";
import { nativeRuntime } from "../compute/mod.ts";
import type { Progress } from "../cli/mod.ts";
import { openModel } from "../models/mod.ts";
import { runtimeVersion } from "../runtime/mod.ts";
import { BenchPage } from "./bench_page.ts";

export const BENCH_HOSTS = ["native", "chrome", "both"] as const;
export type BenchHost = typeof BENCH_HOSTS[number];

type OnProgress = (progress: BenchProgress) => void;

/**
 * Runs the bench on Deno's own WebGPU.
 * @throws AppError `host_unavailable` when there is no adapter.
 */
async function benchNative(
  options: BenchOptions,
  files: ModelFiles | undefined,
  onProgress: OnProgress,
): Promise<HostReport> {
  const runtime = await nativeRuntime();
  using _gpu = runtime.gpu;
  using bench = openWorkbench(runtime);
  const facts = { host: "native", software: runtimeVersion() } as const;
  const report = await runBench(bench, facts, options, onProgress);
  return files ? await withLoops(report, files, runtime, options) : report;
}

/**
 * Runs the bench page in a headless Chrome.
 * @throws AppError `host_unavailable` when there is no Chrome, or no adapter in it.
 */
async function benchChrome(
  options: BenchOptions,
  files: ModelFiles | undefined,
  onProgress: OnProgress,
  chromePath?: string,
): Promise<HostReport> {
  await using page = await BenchPage.open(chromePath, onProgress);
  const model = files ? [JSON.stringify(page.serve(files))] : [];
  const args = [JSON.stringify(options), "benchProgress", ...model];
  const report = await page.call("stepwiseBench", ...args);
  return { ...decodeHostReport(report), host: "chrome", software: page.software };
}

/**
 * Runs the bench on the hosts asked for, one after the other. Where one of two is missing the other
 * is measured, and the report says what is missing.
 * @throws AppError `host_unavailable` when there is nothing to measure on.
 */
export async function benchHosts(
  which: BenchHost,
  options: BenchOptions,
  progress: Progress,
  { model, chromePath }: { readonly model: string; readonly chromePath?: string },
): Promise<BenchReport> {
  const time = new Date().toISOString();
  const wanted = which === "both" ? ["native", "chrome"] as const : [which];
  progress.say(`Measuring for about ${options.seconds} s on ${wanted.join(", and as long on ")}`);
  const files = wantsLoops(options) ? await openModel(model) : undefined;
  const hosts: HostReport[] = [];
  const failures: AppError[] = [];
  for (const host of wanted) {
    const onProgress = ({ done, of, next }: BenchProgress) =>
      progress.step(`${host} ${next}`, done + 1, of);
    try {
      hosts.push(
        await (host === "native"
          ? benchNative(options, files, onProgress)
          : benchChrome(options, files, onProgress, chromePath)),
      );
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failures.push(error);
    }
  }
  if (!hosts.length) throw failures[0];
  const missing = failures.map(({ message }) => `${message}.`);
  return { format: "stepwise-bench-1", time, hosts, missing };
}
