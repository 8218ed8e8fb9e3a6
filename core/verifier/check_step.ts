import { AppError } from "../error.ts";
import { fromHalf } from "../half.ts";
import { gaussianNoise } from "../noise/mod.ts";
import {
  type Combination,
  evaluate,
  nextCombination,
  type Source,
  startCombination,
} from "../schedule/mod.ts";
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

/**
 * Level 1: what needs no network. Passes when nothing is `outside`.
 * @param source of a run that starts from an image, see {@link openedSource}.
 */
export function checkStep(opening: ProvenOpening, source?: Source): StepCheck {
  const start = opening.leaves.get("x.0");
  const { target } = opening;
  return {
    ...(start && { start: checkCombination(start, startOf(opening, source)) }),
    ...(typeof target === "number" && {
      next: checkCombination(
        openedLeaf(opening, "x", target + 1),
        nextOf(opening, target, { source }),
      ),
    }),
  };
}

/** What a run starts from, out of the opening of its start; undefined where it is noise alone. */
export function openedSource({ leaves }: ProvenOpening): Source | undefined {
  const [latent, mask, kept] = ["s.0", "m.0", "k.0"].map((name) => leaves.get(name));
  return latent && {
    latent: fromHalf(latent),
    ...(mask && { mask: fromHalf(mask) }),
    ...(kept && { kept: fromHalf(kept) }),
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
export function compareStep(
  opening: ProvenOpening,
  again: Uint16Array,
  source?: Source,
): Residual {
  const { target } = opening;
  if (typeof target !== "number") {
    throw new AppError(
      "challenge_invalid",
      `Cannot compare a step: the opening is of ${target}, not of a step`,
    );
  }
  const row = opening.committed.plan.rows[target];
  const denoisedAgain = fromHalf(again);
  const combination = nextOf(opening, target, { own: denoisedAgain, source });
  return finishResidual(residualSums({
    alpha: row.alpha,
    state: fromHalf(openedLeaf(opening, "x", target)),
    denoised: fromHalf(openedLeaf(opening, "d", target)),
    next: fromHalf(openedLeaf(opening, "x", target + 1)),
    denoisedAgain,
    nextAgain: evaluate(denoisedAgain.length, combination),
  }));
}

function startOf(
  { committed: { receipt, plan } }: ProvenOpening,
  source: Source | undefined,
): Combination {
  return startCombination(plan, noiseOf(receipt, 0), source);
}

/** x_{i+1} from what was opened; from another prediction in the place of D_i, if given. */
function nextOf(
  opening: ProvenOpening,
  i: number,
  { own, source }: { readonly own?: Float32Array; readonly source?: Source },
): Combination {
  const { plan, receipt } = opening.committed;
  const row = plan.rows[i];
  const opened = (kind: "x" | "d", age: number) => fromHalf(openedLeaf(opening, kind, i - age));
  return nextCombination(row, {
    states: row.states.map((_, age) => opened("x", age)),
    denoised: row.denoised.map((_, age) => age === 0 && own ? own : opened("d", age)),
    noise: () => noiseOf(receipt, i + 1),
    source,
    startNoise: () => noiseOf(receipt, 0),
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
