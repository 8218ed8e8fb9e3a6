import { Tokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { AppError, reason } from "../error.ts";
import { CLIP_TOKENS } from "../inference/mod.ts";
import { type ModelFiles, readJson } from "../model/mod.ts";

const START = "<|startoftext|>";
const END = "<|endoftext|>";

export interface TokenizedPrompt {
  /** Tokens of the prompt, start and end aside; the model reads at most 75 of them. */
  readonly count: number;
  /** Token ids, exactly 77: start, content, end, padding. */
  readonly ids: readonly number[];
  /** The end of the prompt that did not fit, as text; empty when all of it did. */
  readonly cut: string;
}

interface Tokenize {
  (prompt: string): TokenizedPrompt;
  /** As much of a prompt's ids as the model reads at once. */
  fit(content: readonly number[]): TokenizedPrompt;
  /** Ids of a text, without start and end. */
  tokens(text: string): readonly number[];
  readonly start: number;
  readonly end: number;
  readonly pad: number;
  /** Of `,`. */
  readonly comma: number;
}

export interface PromptTokenizer extends Tokenize {
  /** Sentences for the user: what the tokenizer's files leave open. */
  readonly notices: readonly string[];
}

/** A special token is written as a string, or as the object of an AddedToken. */
const specialToken = z.union([z.string(), z.object({ content: z.string() })])
  .transform((token) => typeof token === "string" ? token : token.content);

const specialTokens = z.looseObject({ pad_token: specialToken.nullish() });

/**
 * The tokenizer of a CLIP text encoder: lower case, white space collapsed, byte-level BPE with
 * `</w>` at a word's end. Read from `tokenizer.json` where there is one, else from `vocab.json`
 * and `merges.txt`.
 * @param folder inside the model: `tokenizer` or `tokenizer_2`.
 * @throws AppError `model_invalid` naming the file that is missing or broken.
 */
export async function loadTokenizer(files: ModelFiles, folder: string): Promise<PromptTokenizer> {
  const definition = files.has(`${folder}/tokenizer.json`)
    ? await readJson(files, `${folder}/tokenizer.json`)
    : await clipDefinition(files, folder);
  const padToken = await readPadToken(files, folder);
  const notices = padToken === undefined
    ? [`${folder} of ${files.name} names no padding token: ${END} was used, CLIP's default`]
    : [];
  try {
    const tokenize = promptTokenizer(new Tokenizer(definition as object, {}), padToken ?? END);
    return Object.assign(tokenize, { notices });
  } catch (cause) {
    throw new AppError("model_invalid", `Cannot use ${folder}: ${reason(cause)}`, { cause });
  }
}

/**
 * As transformers finds it: a `tokenizer_config.json` that describes its added tokens says all, and newer
 * exports write no other file; before, `special_tokens_map.json` went first.
 */
async function readPadToken(files: ModelFiles, folder: string): Promise<string | undefined> {
  const config = await readTokens(files, `${folder}/tokenizer_config.json`);
  const map = await readTokens(files, `${folder}/special_tokens_map.json`);
  const [first, second] = "added_tokens_decoder" in config ? [config, map] : [map, config];
  return first.pad_token ?? second.pad_token ?? undefined;
}

async function readTokens(
  files: ModelFiles,
  path: string,
): Promise<z.infer<typeof specialTokens>> {
  if (!files.has(path)) return {};
  const tokens = specialTokens.safeParse(await readJson(files, path));
  if (tokens.success) return tokens.data;
  throw new AppError(
    "model_invalid",
    `Cannot read ${path} of ${files.name}: pad_token is neither a text nor a token`,
    { cause: tokens.error },
  );
}

function promptTokenizer(
  tokenizer: Tokenizer,
  padToken: string,
): Tokenize {
  const id = (token: string): number => {
    const found = tokenizer.token_to_id(token);
    if (found === undefined) {
      throw new AppError("model_invalid", `Cannot tokenize: ${token} is not in the vocabulary`);
    }
    return found;
  };
  const [start, end, pad] = [id(START), id(END), id(padToken)];
  const tokens = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  const [comma] = tokens(",");
  const fit = (content: readonly number[]): TokenizedPrompt => {
    const kept = content.slice(0, CLIP_TOKENS - 2);
    const ids = [start, ...kept, end];
    while (ids.length < CLIP_TOKENS) ids.push(pad);
    const dropped = content.slice(CLIP_TOKENS - 2);
    return {
      count: content.length,
      ids,
      cut: dropped.length ? tokenizer.decode([...dropped]).trim() : "",
    };
  };
  const tokenize = (prompt: string) => fit(tokens(prompt));
  return Object.assign(tokenize, { fit, tokens, start, end, pad, comma });
}

/** What a CLIP `tokenizer.json` says, around the vocabulary and merges of the older files. */
async function clipDefinition(files: ModelFiles, folder: string): Promise<unknown> {
  const vocab = z.record(z.string(), z.number()).parse(
    await readJson(files, `${folder}/vocab.json`),
  );
  const merges = (await files.text(`${folder}/merges.txt`)).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#version"))
    .map((line) => line.trimEnd());
  return {
    added_tokens: [START, END].map((content) => ({
      id: vocab[content],
      content,
      special: true,
      normalized: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: {
            Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
          },
          behavior: "Removed",
          invert: true,
        },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: null,
    decoder: { type: "BPEDecoder", suffix: "</w>" },
    model: {
      type: "BPE",
      unk_token: END,
      continuing_subword_prefix: "",
      end_of_word_suffix: "</w>",
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}
