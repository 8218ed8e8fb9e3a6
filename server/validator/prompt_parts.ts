import { FIRST_PROMPTS } from "./first_prompts.ts";
import { oneOf, type Random } from "./selection.ts";

const HEADS = FIRST_PROMPTS.map((prompt) => partsOf(prompt)[0]);
const TAILS = FIRST_PROMPTS.flatMap((prompt) => partsOf(prompt).slice(1));

/** What one of the first prompts asks for, in the manner of others: as many tags as one has. */
export function promptOfParts(random: Random): string {
  const tags = partsOf(oneOf(FIRST_PROMPTS, random)).length - 1;
  const drawn = new Set(Array.from({ length: tags }, () => oneOf(TAILS, random)));
  return [oneOf(HEADS, random), ...drawn].join(", ");
}

function partsOf(prompt: string): string[] {
  return prompt.split(", ");
}
