import process from "node:process";
import { Command } from "commander";
import { AppError } from "../../core/error.ts";
import { decodeRequest, type GenerationRequest } from "../../core/request/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import {
  type CatalogueEntry,
  decodeTolerances,
  isGuided,
  type Tolerance,
} from "../../core/model/mod.ts";
import { defaultTolerance, signCalibration } from "../../core/verifier/mod.ts";
import { addWalletOptions, openWallet, type WalletFlags, walletPlace } from "../chain/mod.ts";
import { Progress, sideFlag, stepsFlag, wholeFlag } from "../cli/mod.ts";

import { knownEntry, openModel } from "../models/mod.ts";
import { compareMachines, type StepAgreement } from "./agreement.ts";
import { fitTolerance } from "./fit.ts";
import { checkLine, checkSteps } from "./held_out.ts";
import { ALL_HOSTS, type Machine, openMachines } from "./hosts.ts";
import { agreementTable, quantile } from "./table.ts";
import { recordsOf } from "./records.ts";
import { writeJson, writeMeasurements, writeTolerances } from "./write.ts";

interface CalibrateFlags extends WalletFlags {
  readonly model: string;
  readonly engines: string;
  readonly runs: string;
  readonly first: string;
  readonly steps: string;
  readonly sizes: string;
  readonly check: boolean;
  readonly write: boolean;
  readonly record?: string;
  readonly sign: boolean;
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
  const command = new Command("calibrate")
    .description("How far honest machines are apart: what a check must tolerate.")
    .option("--model <source>", "as for generate", "embedded")
    .option(
      "--engines <list>",
      "hosts, each with the weights' variant if not the first: cpu,native,chrome,cpu:fp16,\n" +
        "or all that this machine has, and the CPU with each variant",
      ALL_HOSTS,
    )
    .option("--runs <n>", "images made on each engine", "5")
    .option("--first <n>", "number of the first run: other numbers, other seeds", "0")
    .option("--steps <list>", "of the images, in turn", "20,30")
    .option("--sizes <list>", "width and height of the images, in turn", "128,256")
    .option(
      "--check",
      "compare the steps with the catalogue's tolerances, or the defaults, fit none;\nexit code 1 if one is above",
      false,
    )
    .option("--write", "write the tolerances and the measurements next to the catalogue", false)
    .option(
      "--record <file>",
      "write a calibration record of each engine: its errors over the catalogue's tolerances",
    )
    .option("--sign", "sign the records with the wallet's hotkey", false)
    .option("--json", "print every step's error and the tolerances as JSON", false);
  return addWalletOptions(command).action(calibrate);
}

/** Which images are made. */
interface Sizing {
  readonly runs: number;
  /** Number of the first run. */
  readonly first: number;
  readonly steps: readonly number[];
  /** Pixels of width and height. */
  readonly sizes: readonly number[];
}

async function calibrate(flags: CalibrateFlags): Promise<void> {
  using progress = new Progress({ quiet: flags.json });
  const sizing = sizingOf(flags);
  if (flags.write) entryOf(flags);
  await using stack = new AsyncDisposableStack();
  const machines = await openMachines(flags.engines, flags.model, progress, stack);
  if (!flags.check && machines.size < 2) {
    // It agrees with itself.
    throw new AppError("invalid_request", "Cannot calibrate: --engines is of one machine, not two");
  }
  const steps = await compareAll(machines, sizing, progress);
  const measurements = measurementsOf(sizing, steps, machines);
  if (flags.record !== undefined) await record(flags, flags.record, steps, machines, progress);
  else if (flags.check) {
    const [{ engine: { defaults } }] = machines.values();
    await report(flags, steps, { measurements, ...defaults }, progress);
  } else await fit(flags, steps, measurements, progress);
}

/** Writes a record of each backend. */
async function record(
  flags: CalibrateFlags,
  path: string,
  steps: readonly StepAgreement[],
  machines: ReadonlyMap<string, Machine>,
  progress: Progress,
): Promise<void> {
  const hotkey = flags.sign ? (await openWallet(walletPlace(flags))).hotkey : undefined;
  const tolerances = decodeTolerances(entryOf(flags).tolerances ?? []);
  const date = new Date().toISOString().slice(0, 10);
  const measured = await recordsOf(steps, machines, tolerances, date);
  const records = await Promise.all(measured.map((each) => signCalibration(each, hotkey)));
  await writeJson(path, { records });
  progress.say(`Records of ${measured.map(({ backend }) => backend).join(", ")} are in ${path}`);
}

/** @throws AppError `invalid_request` naming the flag. */
function sizingOf({ runs, first, steps, sizes }: CalibrateFlags): Sizing {
  return {
    runs: wholeFlag("--runs", runs, 1, 10_000),
    first: wholeFlag("--first", first, 0, 1_000_000),
    steps: steps.split(",").map((text) => stepsFlag("--steps", text)),
    sizes: sizes.split(",").map((text) => sideFlag("--sizes", text)),
  };
}

async function compareAll(
  machines: ReadonlyMap<string, Machine>,
  sizing: Sizing,
  progress: Progress,
): Promise<StepAgreement[]> {
  const steps: StepAgreement[] = [];
  const { runs, first } = sizing;
  for (let run = first; run < first + runs; run++) {
    for (const machine of machines) {
      progress.hint(`Run ${run - first + 1} of ${runs}: made on ${machine[0]}`);
      const request = requestOf(machine[1].engine, sizing, run);
      steps.push(...await compareMachines(machine, machines, request, run));
    }
    progress.step("run", run - first + 1, runs);
  }
  return steps;
}

type Measurements = Readonly<Record<string, unknown>>;

interface MeasuredRuns {
  readonly measurements: Measurements;
  /** Of every run: that of the model's defaults. */
  readonly guidanceScale: number;
}

const PRECISIONS = ["float32", "float16"] as const;

/** Fits tolerances to the steps. */
async function fit(
  flags: CalibrateFlags,
  steps: readonly StepAgreement[],
  measurements: Measurements,
  progress: Progress,
): Promise<void> {
  // Shown first: where the measurements are too few to fit, they are not lost.
  if (!flags.json) console.log(agreementTable(steps));
  const tolerances = tolerancesOf(steps);
  if (flags.json) console.log(JSON.stringify({ steps, tolerances }));
  else for (const table of tolerances) console.log(toleranceLine(table));
  if (!flags.write) return;
  const { id } = entryOf(flags);
  await writeTolerances(id, tolerances);
  const path = await writeMeasurements(id, { fitted: measurements });
  progress.say(`Tolerances of ${id} written to the catalogue, measurements to ${path}`);
}

/** Compares held-out honest steps with the catalogue's tolerances. */
async function report(
  flags: CalibrateFlags,
  steps: readonly StepAgreement[],
  { measurements, guidanceScale }: MeasuredRuns,
  progress: Progress,
): Promise<void> {
  const own = decodeTolerances(knownEntry(flags.model)?.tolerances ?? []);
  if (own.length === 0) {
    progress.say(`${flags.model} was not calibrated: the default tolerances are used`);
  }
  const guidance = { guided: await isGuided(await openModel(flags.model)), guidanceScale };
  const defaults = PRECISIONS.map((precision) => defaultTolerance(precision, guidance));
  const checked = checkSteps(steps, own.length === 0 ? defaults : own);
  if (flags.json) console.log(JSON.stringify({ steps, checked }));
  else console.log(`${agreementTable(steps)}\n${checkLine(checked)}`);
  if (flags.write) {
    const path = await writeMeasurements(entryOf(flags).id, {
      checked: { ...measurements, ...checked },
    });
    progress.say(`Measurements written to ${path}`);
  }
  if (checked.rejected > 0) process.exitCode = 1;
}

function entryOf({ model }: CalibrateFlags): CatalogueEntry {
  const entry = knownEntry(model);
  if (entry) return entry;
  throw new AppError(
    "invalid_request",
    `Cannot write tolerances: ${model} is not in the catalogue, which carries them; leave out --write`,
  );
}

function requestOf(
  { defaults }: ImageEngine,
  { sizes, steps }: Sizing,
  run: number,
): GenerationRequest {
  const pixels = inTurn(sizes, run);
  return decodeRequest({
    prompt: inTurn(PROMPTS, run),
    scheduler: inTurn(SCHEDULERS, run),
    width: pixels,
    height: pixels,
    steps: inTurn(steps, Math.floor(run / SCHEDULERS.length)),
    seed: run,
  }, { ...defaults, seed: 0n });
}

function inTurn<T>(list: readonly T[], run: number): T {
  return list[run % list.length];
}

function tolerancesOf(steps: readonly StepAgreement[]): Tolerance[] {
  const apart = steps.filter(({ maker, checker }) => maker !== checker);
  return [...Map.groupBy(apart, ({ precision }) => precision)].map(([precision, own]) =>
    fitTolerance(own, precision)
  );
}

function toleranceLine({ precision, points }: Tolerance): string {
  const shown = points.map(({ noise, tolerance }) =>
    `${noise.toPrecision(2)}: ${tolerance.toExponential(1)}`
  );
  return `Tolerance in ${precision}, by sigma / alpha: ${shown.join(", ")}`;
}

/** What a reader needs to judge the tolerances: machines, counts, errors. */
function measurementsOf(
  { runs, first, steps: counts, sizes }: Sizing,
  steps: readonly StepAgreement[],
  machines: ReadonlyMap<string, Machine>,
): Measurements {
  const pairs = Map.groupBy(steps, ({ maker, checker }) => `${maker} -> ${checker}`);
  return {
    engines: Object.fromEntries([...machines].map(([name, { engine }]) => [name, engine.compute])),
    runs,
    firstRun: first,
    stepsOfImages: counts.join(","),
    sizes: sizes.join(","),
    steps: steps.length,
    pairs: Object.fromEntries([...pairs].map(([pair, own]) => {
      const errors = own.map(({ velocityError }) => velocityError);
      const at = (share: number) => Number(quantile(errors, share).toPrecision(3));
      return [pair, { steps: own.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }];
    })),
  };
}
