import { AppError } from "../error.ts";
import { joinRows, type Model, type TextEmbedding } from "../inference/mod.ts";
import { t5Tokens } from "./t5_texts.ts";

/**
 * What a denoiser reads of what each text encoder gives.
 * @param clips of CLIP, in the encoders' order. @param t5 undefined where there is none.
 * @param width of a token, where the denoiser says it.
 */
export function joinTexts(
  family: Model["family"],
  clips: readonly TextEmbedding[],
  t5: TextEmbedding | undefined,
  width: number | undefined,
): TextEmbedding {
  const [first, second] = clips;
  switch (family) {
    case "sd1":
    case "sd2":
      return first;
    case "sdxl":
      return { ...sideBySide(first, second), pooled: second.pooled };
    case "sd3":
      return withT5(sideBySide(first, second), t5, width);
    case "flux":
      if (t5) return { ...t5, pooled: first.pooled };
      throw new AppError("model_invalid", "Cannot use the model: FLUX reads T5, and it has none");
    default:
      return family satisfies never;
  }
}

/** Each token's states of both encoders side by side, and what they pool likewise. */
function sideBySide(first: TextEmbedding, second: TextEmbedding): TextEmbedding {
  const { tokens } = first;
  const [width1, width2] = [first, second].map(({ hidden }) => hidden.length / tokens);
  const hidden = new Float32Array(first.hidden.length + second.hidden.length);
  for (let token = 0; token < tokens; token++) {
    const at = token * (width1 + width2);
    hidden.set(first.hidden.subarray(token * width1, (token + 1) * width1), at);
    hidden.set(second.hidden.subarray(token * width2, (token + 1) * width2), at + width1);
  }
  const pooled = first.pooled && second.pooled && joinRows([first.pooled, second.pooled]);
  return { hidden, tokens, pooled };
}

/** SD 3: CLIP's tokens, filled up to the width of T5's, and T5's after them. */
function withT5(
  clip: TextEmbedding,
  t5: TextEmbedding | undefined,
  denoiserWidth: number | undefined,
): TextEmbedding {
  const { hidden, tokens } = t5 ?? noT5(denoiserWidth);
  const width = hidden.length / tokens;
  const own = clip.hidden.length / clip.tokens;
  const joined = new Float32Array((clip.tokens + tokens) * width);
  for (let token = 0; token < clip.tokens; token++) {
    const row = clip.hidden.subarray(token * own, token * own + Math.min(own, width));
    joined.set(row, token * width);
  }
  joined.set(hidden, clip.tokens * width);
  return { hidden: joined, tokens: clip.tokens + tokens, pooled: clip.pooled };
}

/** SD 3 without T5: zeros stand for what it would say. */
function noT5(width = 0): TextEmbedding {
  const tokens = t5Tokens("sd3");
  return { hidden: new Float32Array(tokens * width), tokens, pooled: undefined };
}
