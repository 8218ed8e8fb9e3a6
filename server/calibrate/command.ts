import { Command } from "commander";
import { AppError } from "../../core/error.ts";
import {
  decodeRequest,
  type GenerationRequest,
  type ImageEngine,
} from "../../core/generation/mod.ts";
import { type CatalogueEntry, catalogueEntryOf } from "../../core/inference/mod.ts";
import { decodeTolerances, type Tolerance } from "../../core/verification/mod.ts";
import { openCompute, parseComputeKind } from "../compute/mod.ts";
import { Progress } from "../progress.ts";
import { knownModels, openModel } from "../storage/mod.ts";
import { compareEngines, type StepAgreement } from "./agreement.ts";
import { fitTolerance } from "./fit.ts";
import { checkLine, checkSteps } from "./held_out.ts";
import { agreementTable, quantile } from "./table.ts";
import { writeEvidence, writeTolerances } from "./write.ts";

interface CalibrateFlags {
  readonly model: string;
  readonly engines: string;
  readonly runs: string;
  readonly first: string;
  readonly steps: string;
  readonly sizes: string;
  readonly check: boolean;
  readonly write: boolean;
  readonly json: boolean;
}

const PROMPTS = [
  "a golden tau symbol in a night sky with stars",
  "a neon tau symbol on a dark wall",
  "a red tau symbol on a white background",
  "a stone tau symbol in front of mountains",
  "",
];
const SCHEDULERS = ["sde-dpmsolver++", undefined, "euler_a", "ddim", "unipc"];

export function calibrateCommand(): Command {
  return new Command("calibrate")
    .description("How far honest machines are apart: what a check must tolerate.")
    .option("--model <source>", "as for generate", "embedded")
    .option(
      "--engines <list>",
      "hosts, each with the weights' variant if not float32: cpu,native,chrome,cpu:fp16",
      "cpu,native",
    )
    .option("--runs <n>", "images made on each engine", "5")
    .option("--first <n>", "number of the first run: other numbers, other seeds", "0")
    .option("--steps <list>", "of the images, in turn", "20,30")
    .option("--sizes <list>", "width and height of the images, in turn", "128,256")
    .option("--check", "hold the steps against the catalogue's tolerances, fit none", false)
    .option("--write", "write the tolerances and their evidence beside the catalogue", false)
    .option("--json", "print every step's error and the tolerances as JSON", false)
    .action(calibrate);
}

async function calibrate(flags: CalibrateFlags): Promise<void> {
  const progress = new Progress({ quiet: flags.json });
  await using stack = new AsyncDisposableStack();
  const engines = new Map<string, ImageEngine>();
  for (const name of flags.engines.split(",").map((part) => part.trim())) {
    engines.set(name, await openEngine(name, flags.model, progress, stack));
  }
  const steps = await compareAll(engines, flags, progress);
  progress.end();
  await (flags.check ? report : fit)(flags, steps, engines, progress);
}

async function compareAll(
  engines: ReadonlyMap<string, ImageEngine>,
  flags: CalibrateFlags,
  progress: Progress,
): Promise<StepAgreement[]> {
  const steps: StepAgreement[] = [];
  const first = Number(flags.first);
  for (let run = first; run < first + Number(flags.runs); run++) {
    for (const [maker, engine] of engines) {
      progress.hint(`Run ${run - first + 1} of ${flags.runs}: made on ${maker}`);
      const request = requestOf(engine, flags, run);
      steps.push(...await compareEngines(maker, engines, request, run));
    }
  }
  return steps;
}

/** Fits tolerances to the steps. */
async function fit(
  flags: CalibrateFlags,
  steps: readonly StepAgreement[],
  engines: ReadonlyMap<string, ImageEngine>,
  progress: Progress,
): Promise<void> {
  const tolerances = tolerancesOf(steps);
  console.log(flags.json ? JSON.stringify({ steps, tolerances }) : agreementTable(steps));
  if (!flags.json) { for (const table of tolerances) console.log(toleranceLine(table)); }
  if (!flags.write) return;
  const { id } = entryOf(flags);
  await writeTolerances(id, tolerances);
  const path = await writeEvidence(id, { fitted: evidenceOf(flags, steps, engines) });
  progress.say(`Tolerances of ${id} written to the catalogue, evidence to ${path}`);
}

/** Holds honest steps that nothing was fitted to against the catalogue's tolerances. */
async function report(
  flags: CalibrateFlags,
  steps: readonly StepAgreement[],
  engines: ReadonlyMap<string, ImageEngine>,
  progress: Progress,
): Promise<void> {
  const entry = entryOf(flags);
  const tolerances = decodeTolerances(entry.tolerances ?? []);
  const checked = checkSteps(steps, tolerances, precisionOf);
  if (flags.json) console.log(JSON.stringify({ steps, checked }));
  else console.log(`${agreementTable(steps)}\n${checkLine(checked)}`);
  if (flags.write) {
    const evidence = { ...evidenceOf(flags, steps, engines), ...checked };
    progress.say(`Evidence written to ${await writeEvidence(entry.id, { checked: evidence })}`);
  }
}

function entryOf({ model }: CalibrateFlags): CatalogueEntry {
  const entry = catalogueEntryOf(model, knownModels());
  if (entry) return entry;
  throw new AppError(
    "invalid_request",
    `Cannot calibrate: ${model} is not in the catalogue, which is what carries tolerances`,
  );
}

async function openEngine(
  name: string,
  model: string,
  progress: Progress,
  stack: AsyncDisposableStack,
): Promise<ImageEngine> {
  const [kind, variant] = name.split(":");
  const host = stack.use(await openCompute(parseComputeKind(kind)));
  progress.say(`${name}: ${host.name}`);
  return stack.use(await host.open(await openModel(model, { variant })));
}

function requestOf(
  { defaults }: ImageEngine,
  { sizes, steps }: CalibrateFlags,
  run: number,
): GenerationRequest {
  const pixels = inTurn(sizes, run);
  return decodeRequest({
    prompt: PROMPTS[run % PROMPTS.length],
    scheduler: SCHEDULERS[run % SCHEDULERS.length],
    width: pixels,
    height: pixels,
    steps: inTurn(steps, Math.floor(run / SCHEDULERS.length)),
    seed: run,
  }, { ...defaults, seed: 0n });
}

function inTurn(list: string, run: number): number {
  const numbers = list.split(",").map(Number);
  return numbers[run % numbers.length];
}

function precisionOf({ maker, checker }: StepAgreement): Tolerance["precision"] {
  return /:fp16\b/.test(`${maker} ${checker}`) ? "float16" : "float32";
}

/** float16's are those of steps that a float16 machine made or checked; float32's all others. */
function tolerancesOf(steps: readonly StepAgreement[]): Tolerance[] {
  const apart = steps.filter(({ maker, checker }) => maker !== checker);
  return [...Map.groupBy(apart, precisionOf)].map(([precision, own]) =>
    fitTolerance(own, precision)
  );
}

function toleranceLine({ precision, points }: Tolerance): string {
  const shown = points.map(({ noise, tolerance }) =>
    `${noise.toPrecision(2)}: ${tolerance.toExponential(1)}`
  );
  return `Tolerance in ${precision}, by sigma / alpha: ${shown.join(", ")}`;
}

/** What a reader needs to judge the tolerances: who, how often, how far apart. */
function evidenceOf(
  { runs, first, steps: counts, sizes }: CalibrateFlags,
  steps: readonly StepAgreement[],
  engines: ReadonlyMap<string, ImageEngine>,
): Record<string, unknown> {
  const pairs = Map.groupBy(steps, ({ maker, checker }) => `${maker} -> ${checker}`);
  return {
    engines: Object.fromEntries([...engines].map(([name, { compute }]) => [name, compute])),
    runs: Number(runs),
    firstRun: Number(first),
    stepsOfImages: counts,
    sizes,
    steps: steps.length,
    pairs: Object.fromEntries([...pairs].map(([pair, own]) => {
      const errors = own.map(({ velocityError }) => velocityError);
      const at = (share: number) => Number(quantile(errors, share).toPrecision(3));
      return [pair, { steps: own.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }];
    })),
  };
}
