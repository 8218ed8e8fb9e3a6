import type { GenerationProgress } from "../../core/protocol/mod.ts";
import { previewOf } from "./preview.ts";

/** Hears of steps that are done. */
export type OnStep = (
  progress: Pick<GenerationProgress, "step" | "steps"> & {
    /** What is to be seen already, as its miner says: a data URL of a small PNG. */
    readonly preview?: string;
  },
) => void;

/** Of several that make the same image, the steps of the one that is furthest. */
export function furthest(
  onStep: OnStep,
): { readonly take: (progress: GenerationProgress) => void; readonly end: () => void } {
  let share = 0;
  return {
    take: ({ step, steps, previews }) => {
      if (step / steps <= share) return;
      share = step / steps;
      const preview = previewOf(previews?.[0]);
      onStep({ step, steps, ...(preview !== undefined && { preview }) });
    },
    end: () => share = Infinity,
  };
}
