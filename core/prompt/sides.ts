import { counted } from "../counted.ts";
import { AppError } from "../error.ts";
import { CLIP_TOKENS } from "../inference/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";
import { type Chunk, chunksOf, cutChunk } from "./chunks.ts";
import type { WeightedText } from "./fragments.ts";
import { expandKeywords } from "./keywords.ts";
import { shortened } from "./literal_weights.ts";
import type { PromptTokenizer, TokenizedPrompt } from "./tokenizer.ts";
import { weightedText } from "./weighted_text.ts";

/** A prompt as it was typed, and the field of the request that it was typed into. */
interface Typed {
  readonly text: string;
  readonly field: keyof GenerationRequest;
}

/** What guidance steers to, or away from. */
export interface Side {
  /** In sentences for the user. */
  readonly name: "prompt" | "negative prompt";
  /** One for each text encoder that a model may have. */
  readonly typed: readonly [Typed, Typed];
}

export function positiveSide({ prompt, prompt2 }: GenerationRequest): Side {
  const first = { text: prompt, field: "prompt" } as const;
  const second = prompt2 ? { text: prompt2, field: "prompt2" } as const : first;
  return { name: "prompt", typed: [first, second] };
}

export function negativeSide({ negativePrompt, negativePrompt2 }: GenerationRequest): Side {
  const first = { text: negativePrompt, field: "negativePrompt" } as const;
  const second = negativePrompt2
    ? { text: negativePrompt2, field: "negativePrompt2" } as const
    : first;
  return { name: "negative prompt", typed: [first, second] };
}

/** A side for one text encoder. */
export interface ReadSide {
  readonly chunks: readonly Chunk[];
  /** The prompt as it is written, without regard to weights: 77 ids. */
  readonly plain: readonly number[];
  /** A sentence for the user: what of it did not fit. */
  readonly notice: string | undefined;
}

/**
 * A side's chunks for the encoder of a tokenizer: A1111's prompts go on in more, others are cut.
 * @throws AppError `invalid_request` naming the field, for weights that are not read.
 */
export function readSide(
  { name, typed }: Side,
  encoder: number,
  { weighting, expandKeywords: expands }: GenerationRequest,
  tokenizer: PromptTokenizer,
): ReadSide {
  const { text, field } = typed[encoder];
  const expand = expands ? expandKeywords : (prompt: string) => prompt;
  return ofField(field, () => {
    const read = weightedText(text, weighting);
    const expanded = mapText(read, expand);
    const plain = tokenizer(expand(text)).ids;
    if (weighting === "a1111") {
      return { chunks: chunksOf(expanded, tokenizer), plain, notice: undefined };
    }
    const { chunk, tokenized } = cutChunk(expanded.flat(), tokenizer);
    const notice = tokenized.cut ? cutNotice(name, tokenized, CLIP_TOKENS - 2) : undefined;
    return { chunks: [chunk], plain, notice };
  });
}

/** Keywords are expanded where they stand, so that a weight is of all that one becomes. */
function mapText(text: WeightedText, map: (text: string) => string): WeightedText {
  return text.map((section) => section.map(({ text, weight }) => ({ text: map(text), weight })));
}

function ofField<T>(field: Typed["field"], read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, cause.message, { cause, field });
  }
}

/** What one encoder reads of a side, as plain text. */
export function textFor(
  { typed }: Side,
  encoder: 0 | 1,
  { expandKeywords: expands }: Pick<GenerationRequest, "expandKeywords">,
): string {
  const { text } = typed[encoder];
  return expands ? expandKeywords(text) : text;
}

/** One line, even if the prompt is a page long. @param room tokens that are used. */
export function cutNotice(
  name: Side["name"],
  { count, cut }: Pick<TokenizedPrompt, "count" | "cut">,
  room: number,
): string {
  return `The ${name} has ${counted(count, "token")}, ${room} are used: ` +
    `the model does not see "${shortened(cut)}"`;
}
