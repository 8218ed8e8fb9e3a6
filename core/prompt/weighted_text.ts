import { readA1111 } from "./a1111.ts";
import { readCompel } from "./compel.ts";
import type { WeightedText } from "./fragments.ts";
import type { GenerationRequest } from "../request/mod.ts";

/**
 * Reads the weights that are written into a prompt.
 * @throws AppError `invalid_request` for what is written in that way and is not built.
 */
export function weightedText(
  prompt: string,
  weighting: GenerationRequest["weighting"],
): WeightedText {
  switch (weighting) {
    case "none":
      return [[{ text: prompt, weight: 1 }]];
    case "a1111":
      return readA1111(prompt);
    case "compel":
      return [readCompel(prompt)];
    default:
      return weighting satisfies never;
  }
}
