import { Command, Option } from "commander";
import type { Runtime } from "../../core/inference/mod.ts";
import { encodeFloatSafetensors, type NamedFloats } from "../../core/safetensors/mod.ts";
import { chromeRuntime } from "../bench/mod.ts";
import { cpuRuntime, nativeRuntime } from "../compute/mod.ts";
import { checkFree, checkWritable, writeAtomically } from "../storage/mod.ts";
import { readRecordedCalls } from "./recorded_calls.ts";
import { largestDifference, openPart } from "./run_part.ts";

interface RunFlags {
  readonly compute: "cpu" | "native" | "chrome";
  readonly out?: string;
  readonly force: boolean;
  readonly json: boolean;
}

type OpenRuntime = () => Promise<Runtime & Partial<AsyncDisposable>>;

const RUNTIMES: Readonly<Record<RunFlags["compute"], OpenRuntime>> = {
  cpu: cpuRuntime,
  native: nativeRuntime,
  chrome: chromeRuntime,
};

/** `models run`. */
export function runPartCommand(): Command {
  return new Command("run")
    .description("Run one part of a model on recorded tensors, and compare what comes out.")
    .argument("<part folder>", "config.json and weights in safetensors, as on the hub")
    .argument("<io.safetensors>", "tensors <call>/in/<name> and <call>/out/<name>")
    .addOption(
      new Option("--compute <host>", "what computes").choices(Object.keys(RUNTIMES)).default("cpu"),
    )
    .option("--out <file>", "write what was computed, as <call>/out/<name>")
    .option("--force", "replace a file of --out that is there", false)
    .option("--json", "print the largest difference of each call as JSON", false)
    .action(runPart);
}

async function runPart(folder: string, ioPath: string, flags: RunFlags): Promise<void> {
  if (flags.out) {
    await checkFree([flags.out], flags.force);
    await checkWritable(flags.out);
  }
  const recorded = await readRecordedCalls(ioPath);
  const runtime = await RUNTIMES[flags.compute]();
  const calls: Record<string, { relative: number }> = {};
  const computed: NamedFloats[] = [];
  try {
    await using part = await openPart(folder, runtime);
    for (const call of recorded) {
      const outputs = await part.run(call.inputs);
      const { relative, output } = largestDifference(call, outputs);
      calls[call.name] = { relative };
      if (!flags.json) {
        console.log(`${call.name}: off by at most ${relative.toExponential(1)}, in ${output}`);
      }
      for (const [name, tensor] of outputs) {
        computed.push({ name: `${call.name}/out/${name}`, ...tensor });
      }
    }
  } finally {
    runtime.gpu?.[Symbol.dispose]();
    await runtime[Symbol.asyncDispose]?.();
  }
  if (flags.json) console.log(JSON.stringify({ calls }));
  if (flags.out) await writeAtomically(flags.out, encodeFloatSafetensors(computed, {}));
}
