import { signal } from "@preact/signals";
import { randomSeed } from "../../../core/request/mod.ts";
import type { GenerateOrder, JobOrder } from "../api/mod.ts";
import { compute } from "../state/mod.ts";

/** What is in the form, as its fields have it. */
export interface Entered {
  readonly prompt: string;
  readonly styles: readonly string[];
  readonly negative: string;
  /** Empty for any. */
  readonly seed: string;
  readonly steps: string;
  readonly guidance: string;
  readonly size: string;
  readonly images: string;
  /** The address of a folder; empty for the embedded model. */
  readonly model: string;
}

const FIRST: Entered = {
  ...{ prompt: "a tau symbol in a night sky with stars", styles: ["golden"], negative: "" },
  ...{ seed: "", steps: "20", guidance: "5", size: "256", images: "1", model: "" },
};

/** Also while another room is shown. */
export const entered = signal<Entered>(FIRST);

export function enter(change: Partial<Entered>): void {
  entered.value = { ...entered.value, ...change };
}

/** Puts what an image was asked for back into the form. */
export function enterOrder({ prompt, negativePrompt, steps, guidanceScale, size }: JobOrder): void {
  enter({
    ...{ prompt, styles: [], negative: negativePrompt, seed: "" },
    ...{ steps: String(steps), guidance: String(guidanceScale), size: String(size) },
  });
}

/** What the form asks for. */
export function orderOf(form: Entered): GenerateOrder {
  return {
    ...{ prompt: styled(form), negativePrompt: form.negative.trim() },
    seed: form.seed.trim() === "" ? String(randomSeed()) : form.seed.trim(),
    steps: Number(form.steps),
    guidanceScale: Number(form.guidance),
    size: Number(form.size),
    model: form.model.trim(),
    compute: compute.value,
  };
}

/** The prompt with its styles, which any model reads in any order. */
function styled({ prompt, styles }: Entered): string {
  return [prompt.trim(), ...styles].filter(Boolean).join(", ");
}
