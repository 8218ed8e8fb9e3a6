import { AppError, reason } from "../../core/error.ts";
import {
  type BenchOptions,
  type BenchProgress,
  type BenchReport,
  decodeHostReport,
  type HostReport,
  openWorkbench,
  runBench,
} from "../../core/gpu/bench/mod.ts";
import { ChromeProcess, locateChrome, nativeRuntime } from "../compute/mod.ts";
import type { Progress } from "../progress.ts";
import { servePage } from "./page_server.ts";

export const BENCH_HOSTS = ["native", "chrome", "both"] as const;
export type BenchHost = typeof BENCH_HOSTS[number];

type OnProgress = (progress: BenchProgress) => void;

/**
 * Runs the bench on Deno's own WebGPU.
 * @throws AppError `host_unavailable` when there is no adapter.
 */
async function benchNative(
  options: BenchOptions,
  onProgress: OnProgress,
): Promise<HostReport> {
  const runtime = await nativeRuntime();
  using _gpu = runtime.gpu;
  using bench = openWorkbench(runtime);
  const facts = { host: "native", software: `Deno ${Deno.version.deno}` } as const;
  return await runBench(bench, facts, options, onProgress);
}

/**
 * Runs the bench page in a headless Chrome.
 * @throws AppError `host_unavailable` when there is no Chrome, or no adapter in it.
 */
async function benchChrome(
  options: BenchOptions,
  onProgress: OnProgress,
  chromePath?: string,
): Promise<HostReport> {
  const program = await locateChrome(chromePath);
  await using server = await servePage();
  await using chrome = await ChromeProcess.start(program);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (why: string) => reject(cannotBench(why + chrome.lastWords()));
  void chrome.ended.then(fail);
  const page = await chrome.browser.newPage();
  page.on("pageerror", (error) => fail(reason(error)));
  page.on("error", (error) => fail(`its page crashed (${reason(error)})`));
  await page.exposeFunction("benchProgress", onProgress);
  await page.exposeFunction("benchDone", (json: string) => resolve(JSON.parse(json)));
  await page.exposeFunction("benchFailed", fail);
  await page.goto(server.url);
  // Not awaited there: puppeteer gives up on what takes minutes.
  await page.evaluate(
    `void stepwiseBench(${JSON.stringify(options)}, benchProgress).then(
      (report) => benchDone(JSON.stringify(report)), (error) => benchFailed(error.message))`,
  );
  const report = decodeHostReport(await promise);
  return { ...report, host: "chrome", software: await chrome.browser.version() };
}

function cannotBench(why: string): AppError {
  const sentence = why.startsWith("Cannot ") ? why : `Cannot bench in Chrome: ${why}`;
  return new AppError("host_unavailable", sentence);
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
  chromePath?: string,
): Promise<BenchReport> {
  const time = new Date().toISOString();
  const wanted = which === "both" ? ["native", "chrome"] as const : [which];
  progress.say(`Measuring for about ${options.seconds} s on ${wanted.join(", and as long on ")}`);
  const hosts: HostReport[] = [];
  const failures: AppError[] = [];
  for (const host of wanted) {
    const onProgress = ({ done, of, next }: BenchProgress) =>
      progress.step(`${host} ${next}`, done + 1, of);
    try {
      hosts.push(
        await (host === "native"
          ? benchNative(options, onProgress)
          : benchChrome(options, onProgress, chromePath)),
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
