import type { ImageEngine, SourceImages } from "../generation/mod.ts";
import { resize, type RgbaImage } from "../image/mod.ts";
import { sketchesOf } from "../transcript/mod.ts";
import { chooseSteps, oddestStep, type Report, type Verifier } from "../verifier/mod.ts";
import { type AskedRun, checkRun, type CommittedRun, runOf, serveRun } from "./checked_run.ts";
import { askedRun, type InputKind, type InputLab, type InputOrder } from "./input_runs.ts";
import type { SourceCheat } from "./source_cheats.ts";
import { passRate } from "./statistics.ts";

/** Who checks. */
export interface InputChecker extends InputLab {
  readonly verifier: Verifier;
}

/** What of the evidence showed a cheat. */
export type Sight = "receipt" | "source" | "mask" | "parent" | "network" | "nothing";

/** One run of a practice, as checks see it. */
export interface ExaminedInputs {
  readonly steps: number;
  /** Of them, beyond the tolerance by themselves. */
  readonly flagged: number;
  /** That a check of three steps passes it. */
  readonly passes: number;
  readonly seen: Sight;
}

/** Tries a cheat on one request, and checks all its steps. @param other an image of any size. */
export async function examineCheat(
  cheat: SourceCheat,
  order: InputOrder,
  other: RgbaImage,
  lab: InputChecker,
): Promise<ExaminedInputs> {
  const asked = await askedRun(cheat.kind, order, lab);
  const made = await cheat.run(lab.engine, asked, resize(other, asked.request));
  return await examined(made, { ...asked, files: made.files }, lab);
}

/** An honest run of a kind, in a check of three steps that are drawn as validators draw them. */
export async function honestCheck(
  kind: InputKind,
  order: InputOrder,
  maker: Pick<ImageEngine, "generate">,
  lab: InputChecker,
): Promise<Pick<Report, "verdict" | "reasons">> {
  const asked = await askedRun(kind, order, lab);
  const served = await serveRun(await runOf(maker, asked), lab.model, lab.miner);
  const { verdict, reasons } = await checkRun(served, asked, chooseSteps(served.receipt, {}), lab);
  return { verdict, reasons };
}

async function examined(
  made: CommittedRun,
  asked: Omit<AskedRun, "request"> & { readonly files: SourceImages },
  lab: InputChecker,
): Promise<ExaminedInputs> {
  const served = await serveRun(made, lab.model, lab.miner);
  const { receipt: { steps }, receipt } = served;
  const check = (...drawn: number[]) =>
    checkRun(served, asked, { steps: drawn, draw: "chosen" }, lab);
  // What any draw sees: the start is opened always.
  const start = await check();
  if (start.verdict !== "honest") return { steps, flagged: 0, passes: 0, seen: sightOf(start) };
  const whole = await check(...Array(steps).keys());
  const sights = whole.steps.map(({ step, velocityError = 0, tolerance = 0 }) => ({
    ...{ index: step, flagged: !(velocityError <= tolerance) },
  }));
  return {
    steps,
    flagged: sights.filter(({ flagged }) => flagged).length,
    passes: passRate(sights, 3, oddestStep(sketchesOf(receipt) ?? [])),
    seen: sightOf(whole),
  };
}

function sightOf({ verdict, code, source, parent }: Report): Sight {
  if (verdict === "honest") return "nothing";
  if (code !== undefined) return "receipt";
  if (source && !(source.error <= source.tolerance)) return "source";
  if (source?.maskDiffering) return "mask";
  if (parent?.image && !((parent.image.psnr ?? Infinity) >= parent.image.floor)) return "parent";
  return "network";
}
