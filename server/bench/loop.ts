import { Command } from "commander";
import { AppError } from "../../core/error.ts";
import { digits, formatMs, pairedRatio, spread, summarize } from "../../core/gpu/bench/mod.ts";
import { nativeRuntime } from "../compute/mod.ts";
import { Progress } from "../progress.ts";
import { openModel } from "../storage/mod.ts";
import {
  type LoopName,
  type LoopOptions,
  LOOPS,
  type LoopSamples,
  measureLoops,
} from "./end_to_end.ts";

interface LoopFlags {
  readonly model: string;
  readonly size: string;
  readonly steps: string;
  readonly rounds: string;
  readonly json: boolean;
}

export function loopCommand(): Command {
  return new Command("loop")
    .description("Steps per second on Deno's WebGPU: resident, read back, and bare network calls.")
    .option("--model <source>", "as for generate", "embedded")
    .option("--size <pixels>", "of the image's side, a multiple of 8", "128")
    .option("--steps <n>", "of each image", "6")
    .option("--rounds <n>", "samples of each", "5")
    .option("--json", "print one JSON object", false)
    .action(benchLoop);
}

async function benchLoop(flags: LoopFlags): Promise<void> {
  const options = loopOptions(flags);
  const progress = new Progress({ quiet: flags.json });
  const runtime = await nativeRuntime();
  using _gpu = runtime.gpu;
  const files = await openModel(flags.model, { onProgress: (event) => progress.model(event) });
  progress.say(`${files.name} on ${runtime.name}`);
  const samples = await measureLoops(
    files,
    runtime,
    options,
    (round) => progress.step("round", round + 1, options.rounds),
  );
  if (flags.json) {
    return console.log(JSON.stringify(
      { model: files.name, runtime: runtime.name, ...options, seconds: samples },
      null,
      2,
    ));
  }
  console.log(loopTable(samples, options));
}

function loopOptions(flags: LoopFlags): LoopOptions {
  const number = (name: "size" | "steps" | "rounds") => {
    const value = Number(flags[name]);
    if (Number.isInteger(value) && value > 0) return value;
    throw new AppError(
      "invalid_request",
      `Cannot bench the loop: --${name} is ${flags[name]}, not a whole number above zero`,
    );
  };
  return { size: number("size"), steps: number("steps"), rounds: number("rounds") };
}

const ABOUT: Readonly<Record<LoopName, string>> = {
  "bare calls": "as many network calls, nothing between them",
  resident: "the loop on the device",
  recorded: "the loop, every state and prediction read",
  "read back": "tensors through memory, the step on the CPU",
};

/** @param samples seconds of all steps. */
export function loopTable(samples: LoopSamples, { steps, size }: LoopOptions): string {
  const lines = LOOPS.map((name) => {
    const summary = summarize(samples[name]);
    const over = pairedRatio(samples[name], samples["bare calls"]) - 1;
    return [
      name.padEnd(12),
      `${digits(steps / summary.median)}`.padStart(8),
      formatMs(1000 * summary.median / steps).padStart(10),
      spread(summary).padStart(8),
      `${over < 0 ? "" : "+"}${(100 * over).toFixed(1)}%`.padStart(10),
      `  ${ABOUT[name]}`,
    ].join("");
  });
  const head = [
    "".padEnd(12),
    "steps/s".padStart(8),
    "a step".padStart(10),
    "spread".padStart(8),
    "over bare".padStart(10),
  ].join("");
  return [`${steps} steps of ${size}x${size}`, head, ...lines].join("\n");
}
