/**
 * The bank of prompts: billions that read like what people type, by number, put together from lists.
 *
 * ```ts
 * import { promptAt, promptIndex } from "./mod.ts";
 *
 * // None is stored, and each is found by its number.
 * console.assert(promptIndex(promptAt(123_456_789n)) === 123_456_789n);
 * ```
 */
export {
  drawPrompt,
  drawPromptOf,
  promptAt,
  promptIndex,
  PROMPTS,
  wordsOf,
} from "./prompt_bank.ts";
