import { counted } from "../counted.ts";
import { type Receipt, sketchesOf } from "../transcript/mod.ts";
import type { ChosenSteps } from "./choose_steps.ts";
import { catchRate, LATE_STEPS, steeredCatchRate } from "./draw.ts";
import { oddestStep } from "./oddest_step.ts";

/** What a check of some steps says about all of them. */
export interface Strength {
  /** In one sentence. */
  readonly meaning: string;
  /** How likely a check of this kind finds one forged step, wherever it is: of the least likely. */
  readonly findsOneForged?: number;
  /** The same among the last five, which make the picture; 1 where it is the oddest. */
  readonly findsOneForgedLate?: number;
  /** Of a receipt with sketches: the step that looks least like its neighbours. It is drawn. */
  readonly oddest?: number;
}

/**
 * @param recomputed how many of its steps the network predicted again.
 * @returns undefined where there is none: then nothing is said of how the image was made.
 */
export function strengthOf(
  receipt: Receipt,
  recomputed: number,
  draw: ChosenSteps["draw"],
): Strength | undefined {
  if (recomputed === 0) return undefined;
  const share = `${recomputed} of ${counted(receipt.steps, "step")} recomputed`;
  if (draw === "chosen") return { meaning: `${share}, as chosen: of the others nothing is known` };
  const sketches = sketchesOf(receipt);
  const oddest = sketches && oddestStep(sketches);
  const rates = Array.from(
    { length: receipt.steps },
    (_, step) =>
      oddest === undefined
        ? catchRate(receipt.steps, recomputed, [step])
        : steeredCatchRate(receipt.steps, recomputed, oddest, [step]),
  );
  const findsOneForged = Math.min(...rates);
  if (oddest === undefined || recomputed === 1 || recomputed === receipt.steps) {
    const lacks = oddest !== undefined
      ? ""
      : " (the receipt does not say which step is the oddest)";
    const found = `one forged step would be found with ${percent(findsOneForged)}`;
    return { meaning: `${share}; ${found}${lacks}`, findsOneForged };
  }
  const findsOneForgedLate = Math.min(...rates.slice(-LATE_STEPS));
  const where = recomputed > 2
    ? `${percent(findsOneForged)}, among the last ${LATE_STEPS} with ${percent(findsOneForgedLate)}`
    : percent(findsOneForged);
  const meaning =
    `${share}, the oddest (${oddest}) among them; one forged step would be found with ${where}, ` +
    "and always where it is the oddest";
  return { meaning, findsOneForged, findsOneForgedLate, oddest };
}

/** 0.036: `4%`. */
function percent(rate: number): string {
  return `${Math.round(100 * rate)}%`;
}
