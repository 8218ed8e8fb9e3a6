import { Command } from "commander";
import {
  type DrawRates,
  drawRatesOf,
  type Lab,
  lyingRatesOf,
  meanRates,
  stepForgeries,
} from "../../core/adversary/mod.ts";
import { fileHash } from "../../core/transcript/mod.ts";
import { openModel } from "../models/mod.ts";
import { numberFlag, Progress, sideFlag, wholeFlag } from "../cli/mod.ts";
import { LabBench, type Sizing } from "./lab_bench.ts";

interface DrawFlags {
  readonly model: string;
  readonly runs: string;
  readonly steps: string;
  readonly size: string;
  readonly guidance: string;
  readonly schedulers: string;
}

/** `adversary draws`: which three steps to recompute. */
export function drawsCommand(): Command {
  return new Command("draws")
    .description("Compare ways to draw three steps, by how often each finds a few forged ones.")
    .option("--model <source>", "a model of the catalogue", "embedded")
    .option("--runs <n>", "images of each practice and scheduler", "30")
    .option("--steps <n>", "of each image", "30")
    .option("--size <pixels>", "width and height of the images", "64")
    .option("--guidance <scale>", "classifier-free guidance", "5")
    .option(
      "--schedulers <list>",
      "as for generate, with commas between them",
      "euler,dpmpp_2m,sde-dpmsolver++",
    )
    .action(compareDraws);
}

async function compareDraws(flags: DrawFlags): Promise<void> {
  using progress = new Progress({ quiet: false });
  const sizing = {
    ...{ runs: wholeFlag("--runs", flags.runs, 1, 1000), samples: 0 },
    steps: wholeFlag("--steps", flags.steps, 12, 1000),
    size: sideFlag("--size", flags.size, 64, 1024),
    guidanceScale: numberFlag("--guidance", flags.guidance, 0, 100),
  };
  await using bench = await LabBench.open(await openModel(flags.model), UNUSED);
  for (const scheduler of flags.schedulers.split(",").map((name) => name.trim())) {
    const found = await drawStudy(
      bench,
      { ...sizing, scheduler },
      (done) => progress.step(scheduler, done, sizing.runs),
    );
    console.log(drawTable(scheduler, found));
  }
}

/** What each draw finds of each practice, by its name. */
async function drawStudy(
  bench: LabBench,
  sizing: Sizing,
  onRun: (done: number) => void,
): Promise<Map<string, DrawRates>> {
  const found = new Map<string, DrawRates[]>();
  const note = (name: string, rates: DrawRates) =>
    found.set(name, [...found.get(name) ?? [], rates]);
  for (let run = 0; run < sizing.runs; run++) {
    const lab = remembering(await bench.lab(sizing, run));
    for (const [k, cheat] of stepForgeries.entries()) {
      const made = await cheat.run(lab);
      note(cheat.name, drawRatesOf(made));
      if (k > 0) continue;
      for (const steps of LIES) {
        note(`${cheat.name}, ${steps} false sketches before it`, lyingRatesOf(made, steps));
      }
    }
    onRun(run + 1);
  }
  return new Map([...found].map(([name, rates]) => [name, meanRates(rates)]));
}

/** Sketches that a liar bends, so that the last prediction is no surprise. */
const LIES = [1, 3, 10];

/** Runs that begin alike ask the network once. */
function remembering(lab: Lab): Lab {
  const known = new Map<string, ReturnType<Lab["engine"]["predict"]>>();
  return {
    ...lab,
    engine: {
      predict: (request, states) => {
        const key = states.map(({ index, bits }) =>
          `${index} ${fileHash(new Uint8Array(bits.slice().buffer))}`
        ).join();
        const answer = known.get(key) ?? lab.engine.predict(request, states);
        known.set(key, answer);
        return answer;
      },
    },
  };
}

/** No step is checked here: the draws' rates are exact. */
const UNUSED = { precision: "float32" as const, points: [] };

const COLUMNS = ["oddest", "3 random", "odd + 2", "odd, late, 1"];

function drawTable(scheduler: string, found: ReadonlyMap<string, DrawRates>): string {
  const rows = [...found].map(([name, { odd, plain, oddAndTwo, steered }]) =>
    row(name, [odd, plain, oddAndTwo, steered].map((rate) => `${Math.round(100 * rate)} %`))
  );
  return ["", row(scheduler, COLUMNS), row("---", COLUMNS.map(() => "--:")), ...rows].join("\n");
}

/** Of Markdown. */
function row(name: string, cells: readonly string[]): string {
  return `| ${[name, ...cells].join(" | ")} |`;
}
