import { passesStep, type StepCheck } from "./check_step.ts";
import { type ParentComparison, passesParent } from "./check_parent.ts";
import { passesSource, type SourceComparison } from "./check_source.ts";
import { meanOf } from "./mean.ts";
import type { Residual } from "./residual.ts";
import { passesSketches, type SketchCheck } from "./sketch_check.ts";

/**
 * `honest`: all that was checked holds. `suspect`: the network's part or the image is further off
 * than honest machines are. `invalid`: what anybody can recompute without a model does not hold
 * (level 0 throws, level 1 has values outside).
 */
export type Verdict = "honest" | "suspect" | "invalid";

/** What is known of one opened step. */
export interface CheckedStep {
  readonly arithmetic: StepCheck;
  /** Level 2, with the velocity error that an honest step may have. */
  readonly network?: { readonly residual: Residual; readonly tolerance: number };
}

/** Level 3: decibels, and the least that an honest image of its encoding has. */
export interface ImageComparison {
  readonly psnr: number;
  readonly floor: number;
  /** Of all tiles the one that is furthest off, by its own floor. */
  readonly tile?: { readonly psnr: number; readonly floor: number };
  /** Of the file, and the most that an honest one takes. */
  readonly bytes?: { readonly found: number; readonly most: number };
}

export interface Judgement {
  readonly verdict: Verdict;
  /** Mean of the velocities' cosines; undefined unless level 2 was run. The score's input. */
  readonly similarity?: number;
  /** The largest velocity error over its tolerance; above 1 is suspect. */
  readonly worst?: number;
}

/**
 * One verdict from all findings on an image. A recomputation that is not finite is never honest and
 * counts as similarity 0: a miner may choose a state that overflows the checker's network.
 */
export function judge(
  steps: readonly CheckedStep[],
  image?: ImageComparison,
  source?: SourceComparison,
  sketches?: SketchCheck,
  parent?: ParentComparison,
): Judgement {
  const network = steps.flatMap((step) => step.network ?? []);
  const ratios = network.map(({ residual, tolerance }) => residual.velocityError / tolerance);
  const near = ratios.every((ratio) => ratio <= 1) && (!image || passesImage(image)) &&
    (!source || passesSource(source)) && (!parent || passesParent(parent));
  const arithmetic = steps.every((step) => passesStep(step.arithmetic)) &&
    passesSketches(sketches);
  return {
    verdict: !arithmetic ? "invalid" : near ? "honest" : "suspect",
    ...(network.length > 0 && {
      similarity: meanOf(network.map(({ residual }) => residual.similarity || 0)),
      worst: Math.max(...ratios.map((ratio) => Number.isNaN(ratio) ? Infinity : ratio)),
    }),
  };
}

export function passesImage({ psnr, floor, tile, bytes }: ImageComparison): boolean {
  return psnr >= floor && (!tile || tile.psnr >= tile.floor) &&
    (!bytes || bytes.found <= bytes.most);
}
