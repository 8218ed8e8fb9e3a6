import { AppError } from "../error.ts";
import { CLIP_TOKENS } from "../inference/mod.ts";
import type { Fragment, WeightedText } from "./fragments.ts";
import type { PromptTokenizer, TokenizedPrompt } from "./tokenizer.ts";

/** What a text encoder reads at once. */
export interface Chunk {
  /** Exactly 77: start, content, end, padding. */
  readonly ids: readonly number[];
  /** One for each id. */
  readonly weights: readonly number[];
  /** Fragments that count less than 1, where they lie: from the first token to before the last. */
  readonly faded: readonly Faded[];
}

export interface Faded {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/** Between start and end. */
const CONTENT = CLIP_TOKENS - 2;
/** Of a prompt, since each is computed by itself and read at every step: 1500 tokens. */
const MAX_CHUNKS = 20;
/** What follows a comma among this many last tokens goes into the next chunk, as in A1111. */
const BACKTRACK = 20;

interface Content {
  readonly ids: number[];
  readonly weights: number[];
}

/**
 * A prompt in chunks of 75 tokens; one that is empty has one.
 * @throws AppError `invalid_request` for more than 20.
 */
export function chunksOf(text: WeightedText, tokenizer: PromptTokenizer): readonly Chunk[] {
  const contents = text.flatMap((section) => contentsOf(section, tokenizer));
  // After a last BREAK there is nothing.
  if (contents.length > 1 && contents[contents.length - 1].ids.length === 0) contents.pop();
  if (contents.length > MAX_CHUNKS) {
    throw new AppError(
      "invalid_request",
      `Cannot generate: the prompt has ${contents.length} chunks of ${CONTENT} tokens, not at most ` +
        `${MAX_CHUNKS}; write a shorter one, or fewer BREAKs`,
    );
  }
  return contents.map((content) => closed(content, tokenizer));
}

/** A prompt in one chunk: what does not fit is cut, and told. */
export function cutChunk(
  fragments: readonly Fragment[],
  tokenizer: PromptTokenizer,
): { readonly chunk: Chunk; readonly tokenized: TokenizedPrompt } {
  const ids: number[] = [];
  const weights = new Array<number>(CLIP_TOKENS).fill(1);
  const faded: Faded[] = [];
  for (const { text, weight } of fragments) {
    const own = tokenizer.tokens(text);
    const from = 1 + ids.length;
    ids.push(...own);
    weights.fill(weight, from, Math.min(1 + ids.length, 1 + CONTENT));
    if (weight >= 1 || own.length === 0 || from > CONTENT) continue;
    // As in compel, the end is not seen either where it cuts a fragment that is not all there is.
    const to = Math.min(from + Math.min(own.length, CONTENT), CLIP_TOKENS);
    faded.push({ from, to, weight });
  }
  const tokenized = tokenizer.fit(ids);
  return { chunk: { ids: tokenized.ids, weights, faded }, tokenized };
}

/** A chunk without content. */
export function emptyChunk(tokenizer: PromptTokenizer): Chunk {
  return closed({ ids: [], weights: [] }, tokenizer);
}

function contentsOf(section: readonly Fragment[], tokenizer: PromptTokenizer): Content[] {
  const contents: Content[] = [{ ids: [], weights: [] }];
  let afterComma = -1;
  for (const { text, weight } of section) {
    for (const id of tokenizer.tokens(text)) {
      let content = contents[contents.length - 1];
      if (content.ids.length === CONTENT) {
        content = nextContent(content, id === tokenizer.comma ? -1 : afterComma);
        contents.push(content);
        afterComma = -1;
      }
      content.ids.push(id);
      content.weights.push(weight);
      if (id === tokenizer.comma) afterComma = content.ids.length;
    }
  }
  return contents;
}

/** @param afterComma where the phrase began that the full chunk ends with; -1 for none. */
function nextContent({ ids, weights }: Content, afterComma: number): Content {
  const moved = afterComma >= 0 && ids.length - afterComma < BACKTRACK ? afterComma : ids.length;
  return { ids: ids.splice(moved), weights: weights.splice(moved) };
}

function closed({ ids, weights }: Content, { start, end, pad }: PromptTokenizer): Chunk {
  const filled = [start, ...ids, end];
  const left = CLIP_TOKENS - filled.length;
  return {
    ids: [...filled, ...Array<number>(left).fill(pad)],
    weights: [1, ...weights, 1, ...Array<number>(left).fill(1)],
    faded: [],
  };
}
