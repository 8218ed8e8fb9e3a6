import { Command } from "commander";
import { benchLoops, figuresOf } from "../../core/bench/mod.ts";

import { Progress, sideFlag, stepsFlag, wholeFlag } from "../cli/mod.ts";
import { nativeRuntime } from "../compute/mod.ts";

import { openModel } from "../models/mod.ts";
import { loopTable } from "./end_to_end.ts";

interface LoopFlags {
  readonly model: string;
  readonly size: string;
  readonly steps: string;
  readonly seconds: string;
  readonly json: boolean;
}

export function loopCommand(): Command {
  return new Command("loop")
    .description("Steps per second on Deno's WebGPU: resident, read back, and bare network calls.")
    .option("--model <source>", "as for generate", "embedded")
    .option("--size <pixels>", "of the image's side, a multiple of 8", "128")
    .option("--steps <n>", "of each image", "6")
    .option("--seconds <n>", "to spend, about: three rounds are run in any case", "60")
    .option("--json", "print one JSON object", false)
    .action(benchLoop);
}

async function benchLoop(flags: LoopFlags): Promise<void> {
  const { seconds, ...options } = loopOptions(flags);
  using progress = new Progress({ quiet: flags.json });
  const runtime = await nativeRuntime();
  using _gpu = runtime.gpu;
  const files = await openModel(flags.model, { onProgress: (event) => progress.model(event) });
  progress.say(`${files.name} on ${runtime.name}`);
  const rows = await benchLoops(files, runtime, { ...options, budgetMs: 1000 * seconds });
  if (flags.json) {
    return console.log(JSON.stringify({ model: files.name, runtime: runtime.name, rows }));
  }
  const [{ case: name }] = rows;
  console.log(loopTable(name, [{ host: "native", figures: figuresOf(rows) }]).join("\n").trimEnd());
}

function loopOptions(flags: LoopFlags) {
  return {
    side: sideFlag("--size", flags.size),
    steps: stepsFlag("--steps", flags.steps),
    seconds: wholeFlag("--seconds", flags.seconds, 1, 86_400),
  };
}
