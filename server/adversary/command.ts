import { Command } from "commander";
import { FALSE_REJECTS } from "../../core/adversary/mod.ts";
import { AppError } from "../../core/error.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import {
  decodeTolerances,
  isGuided,
  type ModelFiles,
  networkPrecision,
  readLayout,
  type Tolerance,
} from "../../core/model/mod.ts";
import { type HonestTail, tailOf, toleranceFor } from "../../core/verifier/mod.ts";
import { openCalibration, openMachines } from "../calibrate/mod.ts";
import { numberFlag, Progress, sideFlag, wholeFlag } from "../cli/mod.ts";

import { checkFree, checkWritable, writeAtomically } from "../storage/mod.ts";
import { knownEntry, openModel } from "../models/mod.ts";
import { incomeCommand } from "./income/mod.ts";
import { inputsCommand } from "./inputs.ts";
import { StudyJournal } from "./journal.ts";
import { LabBench, type Sizing } from "./lab_bench.ts";
import { studyPage } from "./page.ts";
import { drawsCommand } from "./draws.ts";
import { pageCommand } from "./stored_page.ts";
import { type Study, studyCheats } from "./study.ts";
import { withoutInfinity, writeSummary } from "./summary.ts";
import { studyTable } from "./table.ts";

interface AdversaryFlags {
  readonly model: string;
  readonly honest: string;
  readonly runs: string;
  readonly samples: string;
  readonly steps: string;
  readonly size: string;
  readonly scheduler: string;
  readonly guidance: string;
  readonly json: boolean;
  readonly html?: string;
  readonly force: boolean;
  readonly write: boolean;
  readonly resume?: string;
}

const HELP = `
The checker is the CPU. Other machines make honest images alone, which is what the thresholds at
one false reject in 10,000 come from; without any the model's tolerances are all there is, or
the defaults where it was not calibrated.

Examples:
  deno task adversary --html cheats.html
  deno task adversary --model ./my-model --size 512 --runs 1
  deno task adversary --honest all --size 64 --runs 20 --samples 3000 --write
`;

export function adversaryCommand(): Command {
  return new Command("adversary")
    .description(
      "Try every known cheat against the checks: what is seen of it, and its expected payoff.",
    )
    .option("--model <source>", "as for generate", "embedded")
    .option(
      "--honest <list>",
      "further honest machines: native,chrome, or all that this machine has",
      "cpu",
    )
    .option("--runs <n>", "images of each practice, and of each honest machine", "4")
    .option("--samples <n>", "cheated steps of each practice: more images where it has few", "0")
    .option("--steps <n>", "of each image", "30")
    .option("--size <pixels>", "width and height of the images", "128")
    .option("--scheduler <name>", "as for generate", "sde-dpmsolver++")
    .option("--guidance <scale>", "classifier-free guidance", "5")
    .option("--json", "print all findings as JSON", false)
    .option("--html <file>", "write a page with plots")
    .option("--force", "replace a file of --html that is there", false)
    .option("--write", "write a summary next to the catalogue", false)
    .option("--resume <file>", "keep every image's findings there, and go on from those it has")
    .addHelpText("after", HELP)
    .action(adversary)
    // What follows a name is its own: all have --runs or --json.
    .enablePositionalOptions()
    .addCommand(drawsCommand())
    .addCommand(inputsCommand())
    .addCommand(pageCommand())
    .addCommand(incomeCommand());
}

async function adversary(flags: AdversaryFlags): Promise<void> {
  using progress = new Progress({ quiet: flags.json });
  const sizing = sizingOf(flags);
  const id = flags.write ? idOf(flags) : undefined;
  if (flags.html) {
    await checkFree([flags.html], flags.force);
    await checkWritable(flags.html);
  }
  await using stack = new AsyncDisposableStack();
  const files = await openModel(flags.model);
  const tolerance = await toleranceOf(flags, sizing, files, progress);
  const bench = stack.use(await LabBench.open(files, tolerance));
  const makers = await honestMakers(flags, tolerance, progress, stack);
  progress.hint("Trying honest machines");
  const tail = await tailFor(flags, tolerance, sizing);
  const study = await studyCheats(
    ...[bench, sizing, makers, tail, await journalOf(flags, sizing)] as const,
    (name, done, total) => progress.step(name, done, total),
  );
  console.log(flags.json ? studyJson(study, sizing) : studyTable(study));
  if (flags.html) {
    await writeAtomically(flags.html, new TextEncoder().encode(studyPage(study, sizing)));
    progress.say(`Plots are in ${flags.html}`);
  }
  if (id !== undefined) {
    const engines = new Map([["cpu", bench.engine], ...makers]);
    progress.say(`The summary is in ${await writeSummary(id, study, sizing, engines)}`);
  }
}

/** All but the checker's own, which is always tried, and machines of another precision. */
async function honestMakers(
  { honest, model }: AdversaryFlags,
  tolerance: Tolerance,
  progress: Progress,
  stack: AsyncDisposableStack,
): Promise<Map<string, ImageEngine>> {
  const others = honest.split(",").filter((name) => name.trim() !== "cpu").join(",");
  const machines = await openMachines(others, model, progress, stack);
  return new Map(
    [...machines].filter(([name, { precision }]) =>
      name !== "cpu" && precision === tolerance.precision
    )
      .map(([name, { engine }]) => [name, engine]),
  );
}

/** For the weights' own precision: what every receipt claims, and the checker computes by. */
async function toleranceOf(
  { model }: AdversaryFlags,
  { guidanceScale }: Sizing,
  files: ModelFiles,
  progress: Progress,
): Promise<Tolerance> {
  const precision = await networkPrecision(files, (await readLayout(files)).denoiser);
  const own = decodeTolerances(knownEntry(model)?.tolerances ?? []);
  const guidance = { guided: await isGuided(files), guidanceScale };
  const { table, origin } = toleranceFor(precision, own, guidance);
  if (origin === "default") {
    progress.say(
      `${model} was not calibrated in ${precision}: the default tolerances are used`,
    );
  }
  return table;
}

/** @throws AppError `invalid_request` for a model whose findings have no place. */
function idOf({ model }: AdversaryFlags): string {
  const entry = knownEntry(model);
  if (entry) return entry.id;
  const why = `${model} is not in the catalogue, beside which they are kept; leave out --write`;
  throw new AppError("invalid_request", `Cannot write findings: ${why}`);
}

/** @throws AppError as {@link StudyJournal.open}. */
function journalOf({ model, resume }: AdversaryFlags, sizing: Sizing): Promise<StudyJournal> {
  const { steps, size, scheduler, guidanceScale } = sizing;
  return StudyJournal.open(resume, { model, steps, size, scheduler, guidanceScale });
}

/** By the catalogue's records; undefined where it has none. */
async function tailFor(
  { model }: AdversaryFlags,
  tolerance: Tolerance,
  { scheduler }: Sizing,
): Promise<HonestTail | undefined> {
  const entry = knownEntry(model);
  const { precision } = tolerance;
  const manifest = entry?.weights?.find((each) => each.precision === precision)?.manifest;
  if (manifest === undefined) return undefined;
  const records = await openCalibration(entry, undefined, [tolerance]);
  return tailOf(records, { manifest, precision, scheduler }, "cpu")?.tail;
}

function sizingOf(flags: AdversaryFlags): Sizing {
  return {
    runs: wholeFlag("--runs", flags.runs, 1, 1000),
    samples: wholeFlag("--samples", flags.samples, 0, 100_000),
    steps: wholeFlag("--steps", flags.steps, 5, 1000),
    size: sideFlag("--size", flags.size, 64, 1024),
    scheduler: flags.scheduler,
    guidanceScale: numberFlag("--guidance", flags.guidance, 0, 100),
  };
}

function studyJson(study: Study, sizing: Sizing): string {
  return JSON.stringify({ sizing, falseRejects: FALSE_REJECTS, ...study }, withoutInfinity);
}
