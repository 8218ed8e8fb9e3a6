import { counted } from "../counted.ts";
import type { ErrorCode } from "../error.ts";
import type { ChosenSteps } from "./choose_steps.ts";
import { type Strength, strengthOf } from "./strength.ts";
import type { Plan, PlanRow } from "../schedule/mod.ts";
import type { Receipt } from "../transcript/mod.ts";
import { type ParentComparison, passesParent } from "./check_parent.ts";
import type { SourceComparison } from "./check_source.ts";
import type { ImageComparison, Verdict } from "./verdict.ts";
import type { ImageFindings, Level, StepFinding } from "./check_image_steps.ts";
import { drawnBy } from "./drawn_by.ts";
import type { Meter } from "./meter.ts";
import type { SketchCheck } from "./sketch_check.ts";

/** One verification as JSON has it. From level 2 on it says how strong it is. */
export interface Report extends Partial<Strength> {
  readonly verdict: Verdict;
  /** Why it is not honest, in sentences. */
  readonly reasons: readonly string[];
  /** The stable code of what made it invalid, where a check refused what the miner stated or sent. */
  readonly code?: ErrorCode;
  /**
   * How far it was checked, which may be less than what was asked. 0: the receipt (signature, plan,
   * model, parties) and the proofs of what was opened; 1: also the arithmetic of every drawn
   * step; 2: its prediction; 3: the image. 0 as well where no step was drawn, or where what
   * the miner stated or sent was refused. The verdict says whether it holds.
   */
  readonly level: Level;
  /** How far the check was asked to go. */
  readonly asked: Level;
  readonly receipt: string;
  readonly miner: string;
  readonly model: Receipt["model"];
  /** Steps that were opened and proven, of how many. */
  readonly opened: readonly number[];
  readonly of: number;
  readonly draw: ChosenSteps["draw"];
  /** The same as a clause. */
  readonly drawnBy: string;
  readonly blockHash?: ChosenSteps["blockHash"];
  /** Of a public draw: the block's number where it was read from a chain, and the receipt's witness. */
  readonly block?: ChosenSteps["block"];
  readonly witnessed?: ChosenSteps["witnessed"];
  readonly start?: { readonly differing: number; readonly outside: number };
  /** Of a receipt with sketches, from level 1 on: what they do not fit. */
  readonly sketches?: SketchCheck;
  readonly steps: readonly StepRow[];
  /** Against the checker's own file of x_N: the whole image, and its worst tile of 16x16 pixels. */
  readonly image?: ImageRow;
  /**
   * Of a run that starts from an image: how far its start is from what the VAE makes of that image, and
   * elements of the mask that are not the file's. Null where the image was not at hand, or not compared.
   */
  readonly source?: SourceComparison | null;
  /**
   * Of a run that goes on from another's image: how far its source is from that. Null where the parent's
   * receipt or its image was not at hand, or not compared.
   */
  readonly parent?: ParentRow | null;
  readonly similarity?: number;
  readonly worst?: number;
  readonly tolerances: "catalogue" | "default";
  readonly cost: Cost;
}

/** Decibels; `psnr` is null for equal pixels. */
interface Decibels {
  readonly psnr: number | null;
  readonly floor: number;
}

interface ImageRow extends Decibels {
  readonly tile?: Decibels;
  readonly bytes?: ImageComparison["bytes"];
}

interface ParentRow extends Omit<ParentComparison, "image"> {
  readonly image?: Pick<ImageRow, "psnr" | "floor" | "tile">;
}

interface StepRow {
  readonly step: number;
  /** sigma / alpha; null where there is no signal at all. */
  readonly noise: number | null;
  readonly differing?: number;
  readonly outside?: number;
  readonly similarity?: number;
  readonly velocityError?: number;
  readonly tolerance?: number;
  readonly latentCosine?: number;
}

interface Cost {
  readonly openings: number;
  readonly bytes: number;
  /** Steps that the network predicted again. */
  readonly evaluations: number;
  /** Of the generation's own, 0 to 1. */
  readonly share: number;
  readonly openingMs: number;
  readonly loadMs: number;
  readonly networkMs: number;
  readonly decodeMs: number;
  readonly totalMs: number;
}

/** The result of a check. */
export interface Outcome {
  readonly findings?: ImageFindings;
  readonly plan?: Plan;
  readonly refusal?: { readonly code: ErrorCode; readonly message: string };
  readonly meter: Meter;
  readonly tolerances: Report["tolerances"];
}

interface Subject {
  readonly receipt: Receipt;
  /** `receiptId`. */
  readonly id: string;
  /** What is asked. */
  readonly level: Level;
  readonly drawn: ChosenSteps;
}

export function reportOf(subject: Subject, outcome: Outcome): Report {
  const { receipt, id, drawn: { draw, blockHash, block, witnessed } } = subject;
  const { findings, plan, refusal, tolerances } = outcome;
  const recomputed = findings?.steps.filter(({ network }) => network).length ?? 0;
  return {
    verdict: findings?.verdict ?? "invalid",
    reasons: findings ? reasonsOf(findings) : refusal ? [refusal.message] : [],
    ...(refusal && { code: refusal.code }),
    level: findings?.level ?? 0,
    asked: subject.level,
    receipt: id,
    miner: receipt.miner,
    model: receipt.model,
    opened: findings?.steps.map(({ step }) => step) ?? [],
    of: receipt.steps,
    draw,
    drawnBy: drawnBy(subject.drawn),
    ...(blockHash !== undefined && { blockHash }),
    ...(block !== undefined && { block }),
    ...(witnessed && { witnessed }),
    ...(findings?.start && {
      start: { differing: findings.start.differing, outside: findings.start.outside },
    }),
    ...(findings?.sketches && { sketches: findings.sketches }),
    steps: findings?.steps.map((step) => rowOf(step, plan?.rows[step.step])) ?? [],
    ...(findings?.image && { image: imageOf(findings.image) }),
    ...(receipt.request.image !== undefined && { source: findings?.source ?? null }),
    ...(receipt.request.parent !== undefined && { parent: parentOf(findings?.parent) }),
    similarity: findings?.similarity,
    worst: findings?.worst,
    tolerances,
    ...strengthOf(receipt, recomputed, draw),
    cost: costOf(subject, outcome.meter),
  };
}

function parentOf(parent: ParentComparison | undefined): ParentRow | null {
  if (!parent) return null;
  const { image, ...rest } = parent;
  return { ...rest, ...(image && { image: imageOf(image) }) };
}

function imageOf({ psnr, floor, tile, bytes }: ImageComparison): ImageRow {
  return {
    ...decibelsOf({ psnr, floor }),
    ...(tile && { tile: decibelsOf(tile) }),
    ...(bytes && { bytes }),
  };
}

function decibelsOf({ psnr, floor }: Pick<ImageComparison, "psnr" | "floor">): Decibels {
  return { psnr: Number.isFinite(psnr) ? psnr : null, floor };
}

function rowOf({ step, arithmetic, network }: StepFinding, row: PlanRow | undefined): StepRow {
  const residual = network?.residual;
  const noise = row ? row.sigma / row.alpha : NaN;
  return {
    step,
    noise: Number.isFinite(noise) ? noise : null,
    differing: arithmetic?.next?.differing,
    outside: arithmetic?.next?.outside,
    similarity: residual?.similarity,
    velocityError: residual?.velocityError,
    tolerance: network?.tolerance,
    latentCosine: residual?.latentCosine,
  };
}

function reasonsOf({ start, sketches, steps, image, source, parent }: ImageFindings): string[] {
  const reasons: string[] = [];
  if (start?.outside) {
    const from = source === undefined ? "the seed's noise" : "its source and the seed's noise";
    reasons.push(`x_0 is not ${from} (${counted(start.outside, "value")})`);
  }
  for (const step of sketches?.otherPredictions ?? []) {
    reasons.push(`the receipt's sketch of D_${step} is not that of the opened one`);
  }
  for (const state of sketches?.otherStates ?? []) {
    reasons.push(`the receipt's sketches do not lead to the opened x_${state}`);
  }
  for (const { step, arithmetic, network } of steps) {
    const outside = arithmetic?.next?.outside ?? 0;
    if (outside) {
      reasons.push(`step ${step} is not the plan's combination (${counted(outside, "value")})`);
    }
    if (network && !(network.residual.velocityError <= network.tolerance)) {
      const { residual: { velocityError }, tolerance } = network;
      reasons.push(
        `step ${step} is not what the network predicts: velocity error ` +
          `${velocityError.toPrecision(3)}, tolerance ${tolerance.toPrecision(3)}`,
      );
    }
  }
  if (source && !(source.error <= source.tolerance)) {
    reasons.push(
      `the run does not start from the image: its latent differs by ${
        source.error.toPrecision(3)
      }, ` +
        `at most ${source.tolerance}`,
    );
  }
  if (source?.maskDiffering) {
    reasons.push(`the mask is not the file's (${counted(source.maskDiffering, "value")})`);
  }
  if (parent && !passesParent(parent)) {
    const psnr = parent.image?.psnr.toFixed(1);
    reasons.push(
      `the source is not what ${parent.upscaler} makes of the parent's image: ${psnr} dB`,
    );
  }
  return [...reasons, ...(image ? imageReasons(image) : [])];
}

function imageReasons({ psnr, floor, tile, bytes }: ImageComparison): string[] {
  const reasons: string[] = [];
  const below = (found: number, least: number) =>
    `PSNR is ${found.toFixed(1)} dB, not ${least.toFixed(1)}`;
  if (!(psnr >= floor)) {
    reasons.push(`the image is not the decoded x_N: ${below(psnr, floor)}`);
  } else if (tile && !(tile.psnr >= tile.floor)) {
    reasons.push(`a part of the image is not the decoded x_N: ${below(tile.psnr, tile.floor)}`);
  }
  if (bytes && bytes.found > bytes.most) {
    reasons.push(`the file has ${bytes.found} bytes, where its image takes at most ${bytes.most}`);
  }
  return reasons;
}

function costOf({ receipt }: Subject, meter: Meter): Cost {
  const { openings, bytes, evaluations, openingMs, loadMs, networkMs, decodeMs, totalMs } = meter;
  const share = evaluations / receipt.steps;
  return { openings, bytes, evaluations, share, openingMs, loadMs, networkMs, decodeMs, totalMs };
}
