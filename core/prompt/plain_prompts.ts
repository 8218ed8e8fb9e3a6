import { AppError } from "../error.ts";
import type { GenerationRequest } from "../request/mod.ts";
import { weightedText } from "./weighted_text.ts";

const PROMPTS = ["prompt", "prompt2", "negativePrompt", "negativePrompt2"] as const;

/**
 * The same request without weights in its prompts, for models whose text T5 reads: what programs make
 * of weights is said for CLIP alone.
 * @throws AppError `unsupported_setting` naming the prompt that has such.
 */
export function withPlainPrompts(request: GenerationRequest): GenerationRequest {
  const { weighting } = request;
  if (weighting === "none") return request;
  const plain = PROMPTS.map((field) => {
    const sections = weightedText(request[field], weighting);
    const weighted = sections.length > 1 || sections.flat().some(({ weight }) => weight !== 1);
    if (!weighted) return [field, sections.flat().map(({ text }) => text).join("")];
    throw new AppError(
      "unsupported_setting",
      `Cannot weigh words of ${field}: this model's text goes through T5, for which weights and BREAK ` +
        `have no meaning. Leave them out, or take weighting "none" to have them read as text`,
      { field },
    );
  });
  return { ...request, ...Object.fromEntries(plain), weighting: "none" };
}
