/**
 * Content: what is worth looking at, and what can be asked for. Scores of a picture, each in [0, 1] with its
 * uncertainty: how much it shows, how new it is, how well it fits its prompt; what it earns as it is passed
 * on; and a bank of prompts by number.
 *
 * ```ts
 * import { detailRichness } from "./mod.ts";
 *
 * // A flat picture shows nothing.
 * const flat = { width: 8, height: 8, data: new Uint8ClampedArray(256).fill(255) };
 * console.assert(detailRichness(flat).value === 0);
 * ```
 */
export { contentScore } from "./content_score.ts";
export { detailRichness } from "./detail.ts";
export { type Fingerprint, fingerprintOf } from "./fingerprint.ts";
export { type Novelty, noveltyOf } from "./novelty.ts";
export {
  drawPrompt,
  drawPromptOf,
  promptAt,
  promptIndex,
  PROMPTS,
  wordsOf,
} from "./prompt_bank/mod.ts";
export { RelevanceEncoder } from "./relevance.ts";
export type { Score } from "./score.ts";
export { sharesOf, WHOLE } from "./shares.ts";
export {
  type Earned,
  type Engagement,
  LINEAGE_SHARE,
  type Spread,
  type SpreadPiece,
  type SpreadPost,
  viralityOf,
  WINDOW_DAYS,
} from "./virality.ts";
