import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { AppError, reason } from "../../error.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { trustedTimer } from "./trusted_timer.ts";
import type { BenchCase } from "./case.ts";
import { BENCH_CASES } from "./cases.ts";
import { type ContestLimits, measureFence, runContest, type Samples } from "./contest.ts";
import type { GpuTimer } from "./gpu_timer.ts";
import { copyContenders } from "./copy_contenders.ts";
import {
  type BenchRow,
  type BenchSize,
  benchSizes,
  type HostReport,
  itemsOf,
  sizeName,
} from "../report/mod.ts";

import { type Workbench, Workspace } from "./workbench.ts";

/** What to measure. Plain JSON: it goes to the page as it is. */
export interface BenchOptions {
  /** Only cases whose `name size` has this text: "step", "residual 1024". */
  readonly filter?: string;
  /** Few and small sizes. */
  readonly quick: boolean;
  /** Seconds to spend on this host, about. */
  readonly seconds: number;
}

export interface BenchProgress {
  readonly done: number;
  readonly of: number;
  /** What is measured next: `step 512x512 x 4`. */
  readonly next: string;
}

/** What the host knows of itself. */
export type HostFacts = Pick<HostReport, "host" | "software">;

interface Job {
  readonly entry: BenchCase;
  readonly size: BenchSize;
  readonly name: string;
}

/** Measures every case at every size. Failures go to `problems`; the rest goes on. */
export async function runBench(
  bench: Workbench,
  facts: HostFacts,
  options: BenchOptions,
  onProgress: (progress: BenchProgress) => void = () => {},
): Promise<HostReport> {
  const started = performance.now();
  const fenceMs = await measureFence(bench.gpu.device);
  using timer = await trustedTimer(bench);
  const sampleMs = sampleTime(options, timer, fenceMs);
  const end = started + 1000 * options.seconds;
  const outcome = await runJobs(
    { ...bench, timer },
    jobsOf(options),
    { end, sampleMs },
    onProgress,
  );
  return {
    ...facts,
    adapter: bench.gpu.name,
    adapterClass: bench.gpu.adapterClass,
    runtime: bench.runtime.name,
    fenceMs,
    seconds: (performance.now() - started) / 1000,
    ...outcome,
  };
}

/** Time that a job does not use is for those after it. @param limits `end` by performance.now(). */
async function runJobs(
  bench: Workbench,
  jobs: readonly Job[],
  { end, sampleMs }: Pick<ContestLimits, "sampleMs"> & { readonly end: number },
  onProgress: (progress: BenchProgress) => void,
): Promise<Pick<HostReport, "rows" | "problems" | "leftOut">> {
  const rows: BenchRow[] = [];
  const problems: string[] = [];
  const leftOut: string[] = [];
  for (const [done, job] of jobs.entries()) {
    onProgress({ done, of: jobs.length, next: job.name });
    const budgetMs = (end - performance.now()) / (jobs.length - done);
    const work = () => runJob(bench, job, { budgetMs, sampleMs });
    try {
      const { measured, skipped } = await scoped(bench.gpu.device, work);
      rows.push(...measured);
      if (skipped.length) leftOut.push(`${job.name}: ${skipped.join(", ")}`);
    } catch (error) {
      problems.push(`${job.name}: ${reason(error)}`);
      if (isLost(bench.gpu)) break;
    }
  }
  return { rows, problems, leftOut };
}

/** What would be measured, as `name size`. */
export function benchJobs(options: BenchOptions): string[] {
  return jobsOf(options).map(({ name }) => name);
}

function jobsOf({ filter = "", quick }: BenchOptions): Job[] {
  const all = BENCH_CASES.flatMap((entry) =>
    benchSizes(entry.unit, quick).map((size) => ({
      entry,
      size,
      name: `${entry.name} ${sizeName(size)}`,
    }))
  );
  return all.filter(({ name }) => name.includes(filter));
}

function isLost(gpu: Gpu): boolean {
  try {
    gpu.throwIfLost();
    return false;
  } catch {
    return true;
  }
}

/** Fails with what WebGPU would only report to the console: a kernel that did not run is quick. */
async function scoped<T>(device: GPUDevice, work: () => Promise<T>): Promise<T> {
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  const [done] = await Promise.allSettled([work()]);
  const errors = [await device.popErrorScope(), await device.popErrorScope()];
  if (done.status === "rejected") throw done.reason;
  const error = errors.find((found) => found !== null);
  if (error) throw new AppError("gpu_failed", `Cannot measure: ${error.message}`);
  return done.value;
}

async function runJob(
  bench: Workbench,
  { entry, size }: Job,
  { budgetMs, sampleMs }: ContestLimits,
): Promise<{ readonly measured: BenchRow[]; readonly skipped: readonly string[] }> {
  const started = performance.now();
  await using space = new Workspace(bench);
  const contenders = await entry.prepare(space, size);
  const max = Math.max(...contenders.filter(({ chosen }) => chosen).map(({ bytes }) => bytes));
  const copies = await copyContenders(space, max);
  const spent = performance.now() - started;
  const limits = { budgetMs: budgetMs - spent, sampleMs };
  const { samples, leftOut } = await runContest([...contenders, ...copies], limits);
  const elements = itemsOf(entry.unit, size) * size.batch;
  const measured = samples.map((sample) => ({
    case: entry.name,
    size,
    elements,
    ...rowOf(sample, entry.tolerance),
  }));
  return { measured, skipped: leftOut };
}

/** Longer where the fence is part of what is measured: by the wall clock, or compared by it. */
function sampleTime(
  { quick }: BenchOptions,
  { hasTimestamps }: GpuTimer,
  fenceMs: number,
): ContestLimits["sampleMs"] {
  const short = quick ? 2 : 20;
  const long = Math.max(short, (quick ? 1 : 5) * fenceMs);
  return ({ kind, chosen }) => {
    if (kind === "cpu") return short;
    return hasTimestamps && kind !== "onnx" && !chosen ? short : long;
  };
}

function rowOf({ contender, repeats, timings, error }: Samples, tolerance: number) {
  const { name, kind, chosen, bytes, code } = contender;
  const gpuMs = timings.flatMap((timing) => timing.gpuMs ?? []);
  return {
    contender: name,
    kind,
    chosen,
    bytes,
    wgsl: code && bytesToHex(sha256(new TextEncoder().encode(code))),
    repeats,
    wallMs: timings.map(({ wallMs }) => wallMs),
    gpuMs: gpuMs.length === timings.length ? gpuMs : undefined,
    // JSON has no infinity.
    error: error === undefined ? undefined : Math.min(error, Number.MAX_VALUE),
    agrees: error === undefined ? undefined : error <= tolerance,
  };
}
