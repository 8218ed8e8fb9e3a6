import type { GenerationProgress } from "../../core/protocol/mod.ts";

/** Hears of steps that are done. */
export type OnStep = (progress: Pick<GenerationProgress, "step" | "steps">) => void;

/** Of several that make the same image, the steps of the one that is furthest. */
export function furthest(onStep: OnStep): { readonly take: OnStep; readonly end: () => void } {
  let share = 0;
  return {
    take: ({ step, steps }) => {
      if (step / steps <= share) return;
      share = step / steps;
      onStep({ step, steps });
    },
    end: () => share = Infinity,
  };
}
