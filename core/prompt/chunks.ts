import { CLIP_TOKENS } from "../inference/mod.ts";
import type { PromptTokenizer } from "./tokenizer.ts";
import type { WeightedText } from "./weighted_text.ts";

/** What a text encoder reads at once. */
export interface Chunk {
  /** Exactly 77: start, content, end, padding. */
  readonly ids: readonly number[];
  /** One for each id. */
  readonly weights: readonly number[];
}

/** Between start and end. */
const CONTENT = CLIP_TOKENS - 2;
/** A phrase that began less than this many tokens ago goes into the next chunk whole, as in A1111. */
const BACKTRACK = 20;

interface Content {
  readonly ids: number[];
  readonly weights: number[];
}

/** A prompt of any length in chunks of 75 tokens; one that is empty has one. */
export function chunksOf(text: WeightedText, tokenizer: PromptTokenizer): readonly Chunk[] {
  const chunks = text.flatMap((section) => contentsOf(section, tokenizer));
  return chunks.map((content) => closed(content, tokenizer));
}

/** A chunk without content. */
export function emptyChunk(tokenizer: PromptTokenizer): Chunk {
  return closed({ ids: [], weights: [] }, tokenizer);
}

function contentsOf(section: WeightedText[number], tokenizer: PromptTokenizer): Content[] {
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
  const moved = afterComma >= 0 && ids.length - afterComma <= BACKTRACK ? afterComma : ids.length;
  return { ids: ids.splice(moved), weights: weights.splice(moved) };
}

function closed({ ids, weights }: Content, { start, end, pad }: PromptTokenizer): Chunk {
  const filled = [start, ...ids, end];
  const left = CLIP_TOKENS - filled.length;
  return {
    ids: [...filled, ...Array<number>(left).fill(pad)],
    weights: [1, ...weights, 1, ...Array<number>(left).fill(1)],
  };
}
