import { AppError } from "../error.ts";
import { fromHalf } from "../half.ts";
import { gaussianNoise } from "../noise/mod.ts";
import { type Combination, evaluate, nextCombination, startCombination } from "../schedule/mod.ts";
import { openedLeaf, type ProvenOpening } from "./check_opening.ts";
import { checkCombination, type CombinationCheck } from "./combination.ts";
import { finishResidual, type Residual, residualSums } from "./residual.ts";

/** Level 1 for one opening; what was not opened is undefined. */
export interface StepCheck {
  /** x_0 against the noise of the seed. */
  readonly start?: CombinationCheck;
  /** x_{i+1} against the plan's combination of the opened leaves. */
  readonly next?: CombinationCheck;
}

/** Level 1: what needs no network. Passes when nothing is `outside`. */
export function checkStep(opening: ProvenOpening): StepCheck {
  const start = opening.leaves.get("x.0");
  const { target } = opening;
  return {
    ...(start && { start: checkCombination(start, startOf(opening)) }),
    ...(typeof target === "number" && {
      next: checkCombination(openedLeaf(opening, "x", target + 1), nextOf(opening, target)),
    }),
  };
}

export function passesStep({ start, next }: StepCheck): boolean {
  return (start?.outside ?? 0) === 0 && (next?.outside ?? 0) === 0;
}

/**
 * Level 2 for one opened step, once the network has been asked again.
 * @param again D'_i, float16 bits: u16[n], what it predicts from x_i, rounded as D_i was. Rounding
 * both takes the rounding out of the comparison, which at low noise is most of an honest error.
 * @throws AppError `challenge_invalid` when the opening is of no step, `shape_mismatch`.
 */
export function compareStep(opening: ProvenOpening, again: Uint16Array): Residual {
  const { target } = opening;
  if (typeof target !== "number") {
    throw new AppError(
      "challenge_invalid",
      `Cannot compare a step: the opening is of ${target}, not of a step`,
    );
  }
  const row = opening.committed.plan.rows[target];
  const denoisedAgain = fromHalf(again);
  const combination = nextOf(opening, target, denoisedAgain);
  return finishResidual(residualSums({
    alpha: row.alpha,
    state: fromHalf(openedLeaf(opening, "x", target)),
    denoised: fromHalf(openedLeaf(opening, "d", target)),
    next: fromHalf(openedLeaf(opening, "x", target + 1)),
    denoisedAgain,
    nextAgain: evaluate(denoisedAgain.length, combination),
  }));
}

function startOf({ committed: { receipt, plan } }: ProvenOpening): Combination {
  return startCombination(plan, noiseOf(receipt, 0));
}

/** x_{i+1} from what was opened; from another prediction in the place of D_i, if given. */
function nextOf(opening: ProvenOpening, i: number, own?: Float32Array): Combination {
  const { plan, receipt } = opening.committed;
  const row = plan.rows[i];
  const opened = (kind: "x" | "d", age: number) => fromHalf(openedLeaf(opening, kind, i - age));
  return nextCombination(row, {
    states: row.states.map((_, age) => opened("x", age)),
    denoised: row.denoised.map((_, age) => age === 0 && own ? own : opened("d", age)),
    noise: () => noiseOf(receipt, i + 1),
  });
}

/** Each image counts its elements from 0 with a seed of its own. */
function noiseOf(
  { request, latent }: ProvenOpening["committed"]["receipt"],
  draw: number,
): Float32Array {
  const length = latent.reduce((product, side) => product * side, 1);
  return gaussianNoise(BigInt(request.seed), draw, length);
}
