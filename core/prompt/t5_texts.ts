import type { Model } from "../inference/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";
import { cutNotice, type Side, textFor } from "./sides.ts";
import { loadT5Tokenizer, type T5Tokenizer } from "./t5_tokenizer.ts";

/** Where a family's T5 is, and what it reads. */
interface T5Place {
  /** The tokenizer's folder. */
  readonly folder: string;
  /** Of every prompt: `max_sequence_length` of diffusers' pipelines. */
  readonly tokens: number;
  /** Which of a side's texts it reads. */
  readonly text: 0 | 1;
}

const PLACES: Readonly<Partial<Record<Model["family"], T5Place>>> = {
  sd3: { folder: "tokenizer_3", tokens: 256, text: 0 },
  flux: { folder: "tokenizer_2", tokens: 512, text: 1 },
};

/** What a model's T5 reads of a prompt. */
export interface T5Text {
  readonly ids: readonly number[];
  /** A sentence for the user: what of it did not fit. */
  readonly notice: string | undefined;
}

export type ReadT5 = (side: Side, request: GenerationRequest) => T5Text;

/**
 * @returns undefined for a model without T5.
 * @throws AppError `model_invalid` when the tokenizer lacks its file.
 */
export async function loadT5Texts(model: Model): Promise<ReadT5 | undefined> {
  const place = PLACES[model.family];
  if (!model.t5 || !place) return undefined;
  const tokenizer: T5Tokenizer = await loadT5Tokenizer(model.files, place.folder, place.tokens);
  return (side, request) => {
    const { ids, count, cut } = tokenizer(textFor(side, place.text, request));
    return {
      ids,
      notice: cut ? cutNotice(side.name, { count, cut }, place.tokens - 1) : undefined,
    };
  };
}

/** Tokens of the T5 that a model of this family has, or goes without. */
export function t5Tokens(family: Model["family"]): number {
  return PLACES[family]?.tokens ?? 0;
}
