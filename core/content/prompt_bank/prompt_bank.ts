import { AppError } from "../../error.ts";
import { type Form, formOf } from "./form.ts";
import { FORMS } from "./forms.ts";

/** A draw of [0, 1). */
type Random = () => number;

const forms: readonly Form[] = FORMS.map(formOf);
/** Of each form, the number of its first prompt. */
const firsts: readonly bigint[] = forms.map((_, k) =>
  forms.slice(0, k).reduce((sum, { size }) => sum + size, 0n)
);

/** How many prompts there are. */
export const PROMPTS: bigint = forms.reduce((sum, { size }) => sum + size, 0n);

/**
 * A prompt by its number. None is stored: each is put together from lists, by a mixed radix.
 * @throws AppError `invalid_request` when there is no prompt of that number.
 */
export function promptAt(index: bigint): string {
  if (index < 0n || index >= PROMPTS) {
    throw new AppError(
      "invalid_request",
      `Cannot find a prompt: ${index} is not from 0 to ${PROMPTS - 1n}`,
      { field: "index" },
    );
  }
  const form = firsts.findLastIndex((first) => first <= index);
  return forms[form].say(index - firsts[form]);
}

/** The number of a prompt; undefined for a text that the bank does not have. */
export function promptIndex(prompt: string): bigint | undefined {
  for (const [k, form] of forms.entries()) {
    const index = form.read(prompt);
    if (index !== undefined) return firsts[k] + index;
  }
  return undefined;
}

/** Any prompt of the bank, each as likely as any other. */
export function drawPrompt(random: Random): string {
  return promptAt(drawBelow(PROMPTS, random));
}

/** How many are drawn for one of a given length. */
const TRIES = 6;

/**
 * A prompt as people type them: of any form, short forms as often as long ones, and near a length.
 * @param words how many it shall have, about.
 */
export function drawPromptOf(words: number, random: Random): string {
  const drawn = Array.from({ length: TRIES }, () => {
    const form = forms[Number(drawBelow(BigInt(forms.length), random))];
    return form.say(drawBelow(form.size, random));
  });
  const away = (prompt: string) => Math.abs(wordsOf(prompt) - words);
  return drawn.reduce((best, prompt) => away(prompt) < away(best) ? prompt : best);
}

export function wordsOf(prompt: string): number {
  return prompt.split(/\s+/).filter((word) => word !== "").length;
}

/** Every number below as likely as the next: two draws have more bits than the bank has prompts. */
function drawBelow(count: bigint, random: Random): bigint {
  const bits = BigInt(Math.floor(random() * 2 ** 30)) * 2n ** 30n +
    BigInt(Math.floor(random() * 2 ** 30));
  return bits * count >> 60n;
}
