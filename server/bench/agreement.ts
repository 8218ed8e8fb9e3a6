import { Command } from "commander";
import { AppError } from "../../core/error.ts";
import { type RecordedRun, type StepMachine, stepMachine } from "../../core/bench/mod.ts";
import { Pipeline } from "../../core/generation/mod.ts";
import { fromHalf, roundHalf } from "../../core/half.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import { finishResidual, residualSums } from "../../core/verifier/mod.ts";
import { Progress, sideFlag, stepsFlag, wholeFlag } from "../cli/mod.ts";
import { cpuRuntime, nativeRuntime } from "../compute/mod.ts";

import { openModel } from "../models/mod.ts";
import { type AgreementLine, agreementTable } from "./agreement_table.ts";
import { BenchPage } from "./bench_page.ts";

const HOSTS = ["cpu", "native", "chrome"] as const;
type Host = typeof HOSTS[number];

interface AgreementFlags {
  readonly hosts: string;
  readonly model: string;
  readonly chromePath?: string;
  readonly size: string;
  readonly steps: string;
  readonly runs: string;
  readonly json: boolean;
}

export function agreementCommand(): Command {
  return new Command("agreement")
    .description("How far hosts are apart on single steps, before and after float16 rounding.")
    .option("--hosts <list>", "of cpu, native and chrome", HOSTS.join(","))
    .option("--model <source>", "as for generate", "embedded")
    .option("--chrome-path <file>", "a Chrome or Chromium (default: CHROME_PATH, an installed one)")
    .option("--size <pixels>", "of an image's side, a multiple of 8", "64")
    .option("--steps <n>", "of each image", "10")
    .option("--runs <n>", "images made on each host", "1")
    .option("--json", "print one JSON object", false)
    .action(agreement);
}

async function agreement(flags: AgreementFlags): Promise<void> {
  using progress = new Progress({ quiet: flags.json });
  const files = await openModel(flags.model, { onProgress: (event) => progress.model(event) });
  await using stack = new AsyncDisposableStack();
  const machines = new Map<Host, StepMachine>();
  for (const host of hostsOf(flags.hosts)) {
    machines.set(host, await openMachine(host, files, flags.chromePath, stack));
  }
  const lines: AgreementLine[] = [];
  const runs = wholeFlag("--runs", flags.runs, 1, 1000);
  for (let run = 0; run < runs; run++) {
    lines.push(...await compareMachines(machines, requestOf(flags, run)));
    progress.step("run", run + 1, runs);
  }
  console.log(flags.json ? JSON.stringify(lines) : agreementTable(lines));
}

/** @throws AppError `invalid_request` naming the wrong one. */
function hostsOf(list: string): Host[] {
  return list.split(",").map((name) => {
    const host = HOSTS.find((known) => known === name);
    if (host) return host;
    const sentence = `Cannot compare hosts: --hosts has ${name}, none of ${HOSTS.join(", ")}`;
    throw new AppError("invalid_request", sentence);
  });
}

function requestOf({ size, steps }: AgreementFlags, run: number) {
  const side = sideFlag("--size", size);
  return {
    ...{ prompt: "a golden tau symbol in a night sky with stars", seed: run },
    ...{ width: side, height: side, steps: stepsFlag("--steps", steps) },
  };
}

async function openMachine(
  host: Host,
  files: ModelFiles,
  chromePath: string | undefined,
  stack: AsyncDisposableStack,
): Promise<StepMachine> {
  if (host === "chrome") return await chromeMachine(files, chromePath, stack);
  const runtime = await (host === "cpu" ? cpuRuntime() : nativeRuntime());
  stack.defer(() => runtime.gpu?.[Symbol.dispose]());
  return stepMachine(stack.use(await Pipeline.open(files, runtime)));
}

async function chromeMachine(
  files: ModelFiles,
  chromePath: string | undefined,
  stack: AsyncDisposableStack,
): Promise<StepMachine> {
  const page = stack.use(await BenchPage.open(chromePath, () => {}));
  await page.call("stepwiseModel", JSON.stringify(page.serve(files)));
  const call = (name: string, ...values: readonly unknown[]) =>
    page.call(`stepwiseMachine.${name}`, ...values.map((value) => JSON.stringify(value)));
  return {
    record: async (input) => await call("record", input) as RecordedRun,
    predict: async (input, states) => await call("predict", input, states) as number[][],
  };
}

/** A run made on each machine, with each of its steps predicted on all. */
async function compareMachines(
  machines: ReadonlyMap<Host, StepMachine>,
  request: unknown,
): Promise<AgreementLine[]> {
  const lines: AgreementLine[] = [];
  for (const [maker, machine] of machines) {
    const run = await machine.record(request);
    const own = await machine.predict(request, run.states);
    for (const [checker, other] of machines) {
      const again = await other.predict(request, run.states);
      lines.push({ maker, checker, ...errorsOf(run, own, again) });
    }
  }
  return lines;
}

function errorsOf(
  { alphas, states }: RecordedRun,
  own: readonly (readonly number[])[],
  again: readonly (readonly number[])[],
): Pick<AgreementLine, "float32" | "float16"> {
  const errors = (round: (values: Float32Array<ArrayBuffer>) => Float32Array) =>
    alphas.map((alpha, i) => {
      const state = fromHalf(Uint16Array.from(states[i]));
      const [denoised, denoisedAgain] = [own[i], again[i]].map((values) =>
        round(Float32Array.from(values))
      );
      const pair = { alpha, state, denoised, denoisedAgain, next: state, nextAgain: state };
      return finishResidual(residualSums(pair)).velocityError;
    });
  return { float32: errors((values) => values), float16: errors(roundHalf) };
}
