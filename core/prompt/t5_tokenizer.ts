import { Tokenizer } from "@huggingface/tokenizers";
import { AppError, reason } from "../error.ts";
import { type ModelFiles, readJson } from "../model/mod.ts";

const END = "</s>";
const PAD = "<pad>";

/** A prompt as T5 reads it. */
export interface T5Prompt {
  /** Tokens of the prompt, the end aside. */
  readonly count: number;
  /** Content, end, padding: as many as the encoder reads. */
  readonly ids: readonly number[];
  /** The end of the prompt that did not fit, as text; empty when all of it did. */
  readonly cut: string;
}

export type T5Tokenizer = (prompt: string) => T5Prompt;

/**
 * The tokenizer of a T5 encoder, a unigram model, from `tokenizer.json`.
 * @param folder inside the model: `tokenizer_2` or `tokenizer_3`.
 * @param length tokens of every prompt.
 * @throws AppError `model_invalid` naming the folder.
 */
export async function loadT5Tokenizer(
  files: ModelFiles,
  folder: string,
  length: number,
): Promise<T5Tokenizer> {
  const definition = await readJson(files, `${folder}/tokenizer.json`);
  try {
    return t5Tokenizer(new Tokenizer(definition as object, {}), length);
  } catch (cause) {
    throw new AppError("model_invalid", `Cannot use ${folder}: ${reason(cause)}`, { cause });
  }
}

function t5Tokenizer(tokenizer: Tokenizer, length: number): T5Tokenizer {
  const [end, pad] = [END, PAD].map((token) => {
    const id = tokenizer.token_to_id(token);
    if (id !== undefined) return id;
    throw new AppError("model_invalid", `Cannot tokenize: ${token} is not in the vocabulary`);
  });
  return (prompt) => {
    const content = tokenizer.encode(prompt, { add_special_tokens: false }).ids;
    const ids = [...content.slice(0, length - 1), end];
    const dropped = content.slice(length - 1);
    return {
      count: content.length,
      ids: [...ids, ...Array<number>(length - ids.length).fill(pad)],
      cut: dropped.length > 0 ? tokenizer.decode(dropped).trim() : "",
    };
  };
}
