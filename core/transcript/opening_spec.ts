import { AppError } from "../error.ts";
import type { Plan } from "../schedule/mod.ts";
import {
  type LatentShape,
  leafCount,
  type OpeningTarget,
  type SourceKind,
  sourcesOf,
  stepRun,
} from "./leaves.ts";
import type { LeafRun } from "./merkle.ts";
import { type Receipt, receiptId } from "./receipt.ts";

/** All that is known of an opening before it comes: only leaves' and proof's bytes are open. */
export interface OpeningSpec {
  /** {@link receiptId}. */
  readonly receipt: string;
  /** Of the Merkle tree, in lower-case hex. */
  readonly root: string;
  readonly target: OpeningTarget;
  readonly run: LeafRun;
  /** Leaves in the whole tree. */
  readonly leaves: number;
  readonly latent: LatentShape;
  /** Leaves before x_0. */
  readonly sources: readonly SourceKind[];
}

/**
 * What an opening of a receipt must hold.
 * @param id {@link receiptId}, where it is known.
 * @throws AppError `challenge_invalid` when there is no such step.
 */
export function openingSpec(
  receipt: Receipt,
  plan: Plan,
  target: OpeningTarget,
  id: string = receiptId(receipt),
): OpeningSpec {
  const sources = sourcesOf(receipt);
  return {
    receipt: id,
    root: receipt.root,
    target,
    run: runOf(receipt.steps, plan, target, sources),
    leaves: leafCount(receipt.steps, sources),
    latent: receipt.latent,
    sources,
  };
}

function runOf(
  steps: number,
  plan: Plan,
  target: OpeningTarget,
  sources: readonly SourceKind[],
): LeafRun {
  if (target === "start") return { first: 0, last: sources.length };
  const end = sources.length + 2 * steps;
  if (target === "end") return { first: end, last: end };
  if (!Number.isInteger(target) || target < 0 || target >= Math.min(steps, plan.rows.length)) {
    throw new AppError(
      "challenge_invalid",
      `Cannot open a step: ${target} is not one of 0 to ${steps - 1}`,
    );
  }
  return stepRun(target, plan.rows[target], sources);
}
