import { Command } from "commander";
import type { CheatFindings } from "../../core/adversary/mod.ts";
import { AppError } from "../../core/error.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import { catalogueEntryOf } from "../../core/inference/mod.ts";
import { decodeTolerances, type Tolerance } from "../../core/verification/mod.ts";
import { openCompute, parseComputeKind } from "../compute/mod.ts";
import { Progress } from "../progress.ts";
import { knownModels, openModel, writeAtomically } from "../storage/mod.ts";
import { LabBench, type Sizing } from "./lab_bench.ts";
import { studyPage } from "./page.ts";
import { type Study, studyCheats } from "./study.ts";
import { studyTable } from "./table.ts";

interface AdversaryFlags {
  readonly model: string;
  readonly honest: string;
  readonly runs: string;
  readonly steps: string;
  readonly size: string;
  readonly scheduler: string;
  readonly guidance: string;
  readonly json: boolean;
  readonly html?: string;
}

export function adversaryCommand(): Command {
  return new Command("adversary")
    .description("Try every known cheat against the checks: what is seen of it, and what it pays.")
    .option("--model <source>", "a model of the catalogue", "embedded")
    .option("--honest <list>", "further honest machines: native,chrome", "")
    .option("--runs <n>", "images of each practice", "4")
    .option("--steps <n>", "of each image", "30")
    .option("--size <pixels>", "width and height of the images", "128")
    .option("--scheduler <name>", "as for generate", "sde-dpmsolver++")
    .option("--guidance <scale>", "classifier-free guidance", "5")
    .option("--json", "print all findings as JSON", false)
    .option("--html <file>", "write a page with plots")
    .action(adversary);
}

async function adversary(flags: AdversaryFlags): Promise<void> {
  const progress = new Progress({ quiet: flags.json });
  const sizing = sizingOf(flags);
  await using stack = new AsyncDisposableStack();
  const bench = stack.use(await LabBench.open(await openModel(flags.model), toleranceOf(flags)));
  const makers = new Map<string, ImageEngine>();
  for (const kind of flags.honest.split(",").filter(Boolean)) {
    const host = stack.use(await openCompute(parseComputeKind(kind)));
    progress.say(`${kind}: ${host.name}`);
    makers.set(kind, stack.use(await host.open(await openModel(flags.model))));
  }
  const study = await studyCheats(bench, sizing, makers, (name) => progress.hint(name));
  progress.end();
  console.log(flags.json ? studyJson(study, sizing) : studyTable(study));
  if (flags.html) {
    await writeAtomically(flags.html, new TextEncoder().encode(studyPage(study, sizing)));
    progress.say(`Plots are in ${flags.html}`);
  }
}

/** @throws AppError `invalid_request` for a model without tolerances: there is nothing to try. */
function toleranceOf({ model }: AdversaryFlags): Tolerance {
  const tolerances = decodeTolerances(catalogueEntryOf(model, knownModels())?.tolerances ?? []);
  const found = tolerances.find(({ precision }) => precision === "float32");
  if (found) return found;
  throw new AppError(
    "invalid_request",
    `Cannot try cheats: ${model} has no tolerances in the catalogue; deno task calibrate fits them`,
  );
}

function sizingOf({ runs, steps, size, scheduler, guidance }: AdversaryFlags): Sizing {
  return {
    runs: whole("--runs", runs, 1, 1000),
    steps: whole("--steps", steps, 5, 1000),
    size: whole("--size", size, 64, 1024),
    scheduler,
    guidanceScale: Number(guidance),
  };
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new AppError(
    "invalid_request",
    `Cannot try cheats: ${flag} is ${text}, not a whole number from ${least} to ${most}`,
  );
}

/** Infinity, which JSON has not, as a string. */
function studyJson(study: Study, sizing: Sizing): string {
  const plain = ({ roc: _, ...found }: CheatFindings) => found;
  const all = {
    sizing,
    honest: study.honest.map(plain),
    cheats: study.cheats.map(plain),
    notCaught: study.notCaught.map(plain),
  };
  return JSON.stringify(all, (_, value) => value === Infinity ? "Infinity" : value);
}
