import { Command } from "commander";
import {
  askedRun,
  examineCheat,
  type ExaminedInputs,
  honestCheck,
  INPUT_KINDS,
  type InputChecker,
  type InputKind,
  type InputOrder,
  sourceCheats,
} from "../../core/adversary/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { openVerifier } from "../../core/verifier/mod.ts";
import { openMachines } from "../calibrate/mod.ts";
import { Progress, sideFlag, wholeFlag } from "../cli/mod.ts";
import { openKnownModel } from "../models/mod.ts";
import { StudyJournal } from "./journal.ts";
import { type HonestChecks, inputsTable, type TriedCheat } from "./inputs_table.ts";
import { PROMPTS } from "./lab_bench.ts";
import { writeInputs } from "./summary.ts";

interface InputsFlags {
  readonly model: string;
  readonly honest: string;
  readonly runs: string;
  readonly checks: string;
  readonly steps: string;
  readonly size: string;
  readonly json: boolean;
  readonly write: boolean;
  readonly resume?: string;
}

const STRENGTH = 0.6;
const [SCHEDULER, GUIDANCE] = ["sde-dpmsolver++", 5];
/** Added to a run's number: of the image that the miner would rather start from. */
const OTHER = 1_000_000;
/** Of honest checks. */
type Checked = Awaited<ReturnType<typeof honestCheck>>;

/** `adversary inputs`: the cheats that need an image, a mask, edges or a parent. */
export function inputsCommand(): Command {
  return new Command("inputs")
    .description(
      "Try cheats of runs that start from images, and honest runs of each kind, at level 3.",
    )
    .option("--model <source>", "as for generate", "embedded")
    .option("--honest <list>", "machines that make the honest images: cpu,native,chrome", "cpu")
    .option("--runs <n>", "images of each cheat", "12")
    .option("--checks <n>", "honest checks, all kinds and machines in turn", "120")
    .option("--steps <n>", "of each image", "12")
    .option("--size <pixels>", "width and height of the images", "64")
    .option("--json", "print all findings as JSON", false)
    .option("--write", "write the table to the study next to the catalogue", false)
    .option("--resume <file>", "keep every image's findings there, and go on from those it has")
    .action(inputs);
}

async function inputs(flags: InputsFlags): Promise<void> {
  const runs = wholeFlag("--runs", flags.runs, 1, 1000);
  const checks = wholeFlag("--checks", flags.checks, 0, 100_000);
  const size = sideFlag("--size", flags.size, 64, 1024);
  const order = { steps: wholeFlag("--steps", flags.steps, 5, 1000), size };
  using progress = new Progress({ quiet: flags.json });
  await using stack = new AsyncDisposableStack();
  const machines = await openMachines(`cpu,${flags.honest}`, flags.model, progress, stack);
  const { engine } = machines.get("cpu") ?? {};
  if (!engine) throw new Error("openMachines leaves out no machine that is named");
  const model = await openKnownModel(flags.model);
  const verifier = await openVerifier(model);
  const lab: InputChecker = { engine, model, verifier, miner: openHotkey(undefined) };
  const study = { inputs: flags.model, ...order };
  const journal = await StudyJournal.open<ExaminedInputs | Checked>(flags.resume, study);
  const cheats = await triedCheats(lab, { runs, order }, journal, progress);
  const makers = [...machines].map(([name, machine]) => [name, machine.engine] as const);
  const honest = await honestChecks(lab, { makers, checks, order }, journal, progress);
  const found = { order, cheats, honest };
  console.log(flags.json ? JSON.stringify(found) : inputsTable(found));
  if (flags.write) progress.say(`The table is in ${await writeInputs(flags.model, found)}`);
}

type Journal = StudyJournal<ExaminedInputs | Checked>;
type Order = Pick<InputOrder, "steps"> & { readonly size: number };

async function triedCheats(
  lab: InputChecker,
  { runs, order }: { readonly runs: number; readonly order: Order },
  journal: Journal,
  progress: Progress,
): Promise<TriedCheat[]> {
  const found: TriedCheat[] = [];
  for (const [k, cheat] of sourceCheats.entries()) {
    const tried: ExaminedInputs[] = [];
    for (let run = 0; run < runs; run++) {
      tried.push(
        await journal.examined(cheat.name, run, async () => {
          const { request } = await askedRun("text", orderOf(order, run + OTHER), lab);
          const { images: [other] } = await lab.engine.generate(request);
          return await examineCheat(cheat, orderOf(order, run), other, lab);
        }) as ExaminedInputs,
      );
    }
    found.push({ cheat, tried });
    progress.step(cheat.name, k + 1, sourceCheats.length);
  }
  return found;
}

async function honestChecks(
  lab: InputChecker,
  { makers, checks, order }: {
    readonly makers: readonly (readonly [string, ImageEngine])[];
    readonly checks: number;
    readonly order: Order;
  },
  journal: Journal,
  progress: Progress,
): Promise<HonestChecks[]> {
  const found = new Map<string, { kind: InputKind; machine: string; checked: Checked[] }>();
  for (let run = 0; run < checks; run++) {
    const kind = INPUT_KINDS[run % INPUT_KINDS.length];
    const [machine, maker] = makers[Math.floor(run / INPUT_KINDS.length) % makers.length];
    const practice = `honest on ${machine}: ${kind}`;
    const checked = await journal.examined(
      practice,
      run,
      () => honestCheck(kind, orderOf(order, run), maker, lab),
    ) as Checked;
    const row = found.get(practice) ?? { kind, machine, checked: [] };
    row.checked.push(checked);
    found.set(practice, row);
    progress.step("honest", run + 1, checks);
  }
  return [...found.values()];
}

function orderOf({ steps, size }: Order, run: number): InputOrder {
  return {
    ...{ prompt: PROMPTS[run % PROMPTS.length], scheduler: SCHEDULER, strength: STRENGTH },
    ...{ factor: 1.5, width: size, height: size, steps, guidanceScale: GUIDANCE },
    seed: BigInt(run),
  };
}
