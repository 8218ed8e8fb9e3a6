import { Command } from "commander";
import { decodeRequest } from "../../core/request/mod.ts";
import { encodeImage } from "../../core/image/mod.ts";
import { Pipeline } from "../../core/generation/mod.ts";
import { median } from "../../core/bench/mod.ts";
import { observeRuntime } from "../../core/inference/mod.ts";
import { stepsFlag, wholeFlag } from "../cli/mod.ts";
import { cpuRuntime } from "../compute/mod.ts";
import { openModel } from "../models/mod.ts";

const PROMPT = "a golden tau symbol in a night sky with stars";

export function pipelineCommand(): Command {
  return new Command("pipeline")
    .description("What a generation costs on the CPU host besides the network itself.")
    .option("--model <source>", "as for generate", "embedded")
    .option("--steps <n>", "of each image", "20")
    .option("--runs <n>", "images measured, after one to warm up", "10")
    .option("--scheduler <name>", "as for generate (default: the model's)")
    .option("--json", "print one JSON object", false)
    .action(benchPipeline);
}

interface PipelineFlags {
  readonly model: string;
  readonly steps: string;
  readonly runs: string;
  readonly scheduler?: string;
  readonly json: boolean;
}

interface RunFigures {
  readonly totalMs: number;
  /** Inside onnxruntime's own `run`, all parts of the model. */
  readonly sessionMs: number;
  readonly textMs: number;
  readonly solverMs: number;
  readonly encodeMs: number;
  readonly sessionCalls: number;
}

async function benchPipeline(flags: PipelineFlags): Promise<void> {
  const runs = wholeFlag("--runs", flags.runs, 1, 1000);
  const steps = stepsFlag("--steps", flags.steps);
  const files = await openModel(flags.model);
  let meter = { milliseconds: 0, calls: 0 };
  const runtime = observeRuntime(await cpuRuntime(), ({ milliseconds }) => {
    meter = { milliseconds: meter.milliseconds + milliseconds, calls: meter.calls + 1 };
  });
  const loadStarted = performance.now();
  await using engine = await Pipeline.open(files, runtime);
  const loadMs = performance.now() - loadStarted;
  const figures: RunFigures[] = [];
  for (let k = 0; k <= runs; k++) {
    const request = decodeRequest(
      { prompt: PROMPT, steps, scheduler: flags.scheduler, seed: k },
      { ...engine.defaults, seed: 0n },
    );
    meter = { milliseconds: 0, calls: 0 };
    const started = performance.now();
    const { images, timings } = await engine.generate(request);
    const generated = performance.now();
    for (const image of images) await encodeImage(image, "png");
    const ended = performance.now();
    figures.push({
      totalMs: ended - started,
      sessionMs: meter.milliseconds,
      sessionCalls: meter.calls,
      textMs: timings.textMs,
      solverMs: timings.solverMs,
      encodeMs: ended - generated,
    });
  }
  report(files.name, loadMs, figures, flags.json);
}

function report(
  model: string,
  loadMs: number,
  [first, ...measured]: readonly RunFigures[],
  json: boolean,
): void {
  const of = (pick: (run: RunFigures) => number) => median(measured.map(pick));
  const figures = {
    model,
    loadMs,
    firstMs: first.totalMs,
    totalMs: of((run) => run.totalMs),
    sessionMs: of((run) => run.sessionMs),
    solverMs: of((run) => run.solverMs),
    encodeMs: of((run) => run.encodeMs),
    firstTextMs: first.textMs,
    textMs: of((run) => run.textMs),
    sessionCalls: of((run) => run.sessionCalls),
    overhead: of((run) => (run.totalMs - run.sessionMs) / run.totalMs),
  };
  if (json) return console.log(JSON.stringify({ ...figures, runs: measured }, null, 2));
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  console.log(`${model} on the CPU host, median of ${measured.length} images of one prompt
  sessions loaded once        ${ms(figures.loadMs)}
  first image                 ${ms(figures.firstMs)}
  each image                  ${ms(figures.totalMs)}
    in session.run            ${ms(figures.sessionMs)} (${figures.sessionCalls} calls)
    solver, noise, rounding   ${ms(figures.solverMs)}
    text, first and later     ${ms(figures.firstTextMs)}, ${ms(figures.textMs)}
    PNG                       ${ms(figures.encodeMs)}
  not in session.run          ${(100 * figures.overhead).toFixed(1)} %`);
}
