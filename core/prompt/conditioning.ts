import { counted } from "../counted.ts";
import { AppError } from "../error.ts";
import { CLIP_TOKENS, type Model, type TextEmbedding } from "../inference/mod.ts";
import { expandKeywords } from "./keywords.ts";
import type { GenerationRequest } from "../request/mod.ts";
import { literalNotice, shortened } from "./literal_weights.ts";
import { loadTokenizer, type PromptTokenizer, type TokenizedPrompt } from "./tokenizer.ts";

/** The text half of a generation: computed once, used at every step of every image. */
export interface Conditioning {
  readonly positive: TextEmbedding;
  /** What guidance steers away from; undefined when there is no guidance. */
  readonly negative: TextEmbedding | undefined;
  /** Sentences for the user: what of which prompt did not fit. */
  readonly notices: readonly string[];
}

/** Prompts whose encoding is kept, so that a negative prompt in constant use costs nothing. */
const KEPT_ENCODINGS = 32;

/** Turns prompts into what a model's UNet reads. */
export class PromptConditioner {
  readonly #model: Model;
  readonly #tokenizers: readonly PromptTokenizer[];
  readonly #encodings = new Map<string, TextEmbedding>();

  private constructor(model: Model, tokenizers: readonly PromptTokenizer[]) {
    this.#model = model;
    this.#tokenizers = tokenizers;
  }

  /** @throws AppError `model_invalid` when a tokenizer lacks a file. */
  static async load(model: Model): Promise<PromptConditioner> {
    const folders = ["tokenizer", "tokenizer_2"].slice(0, model.textEncoders.length);
    const tokenizers = await Promise.all(
      folders.map((folder) => loadTokenizer(model.files, folder)),
    );
    return new PromptConditioner(model, tokenizers);
  }

  async condition(request: GenerationRequest): Promise<Conditioning> {
    const notices = this.#tokenizers.flatMap((tokenizer) => tokenizer.notices);
    const guided = usesGuidance(request, this.#model);
    const literal = literalNotice(promptsOf(request, guided));
    if (literal) notices.push(literal);
    const positive = await this.#embed("prompt", positivePrompts(request), notices);
    if (!guided) return { positive, negative: undefined, notices };
    const negative = this.#zeroesNegative(request)
      ? zeros(positive)
      : await this.#embed("negative prompt", negativePrompts(request), notices);
    return { positive, negative, notices };
  }

  #zeroesNegative({ negativePrompt, negativePrompt2 }: GenerationRequest): boolean {
    return this.#model.config.index.zeroesEmptyPrompt &&
      this.#model.family === "sdxl" && negativePrompt === "" && negativePrompt2 === "";
  }

  async #embed(
    what: string,
    prompts: readonly [string, string],
    notices: string[],
  ): Promise<TextEmbedding> {
    const parts: TextEmbedding[] = [];
    for (const encoder of this.#tokenizers.keys()) {
      const tokenized = this.#tokenizers[encoder](prompts[encoder]);
      const notice = cutNotice(what, tokenized);
      if (tokenized.cut && !notices.includes(notice)) notices.push(notice);
      parts.push(await this.#encode(encoder, tokenized.ids));
    }
    const embedding = parts.length === 1 ? parts[0] : joinEncoders(parts[0], parts[1]);
    this.#checkWidth(embedding);
    return embedding;
  }

  async #encode(encoder: number, ids: readonly number[]): Promise<TextEmbedding> {
    const key = `${encoder}:${ids}`;
    const kept = this.#encodings.get(key);
    const encoding = kept ?? await this.#model.textEncoders[encoder].encode(ids);
    this.#encodings.delete(key);
    this.#encodings.set(key, encoding);
    const [oldest] = this.#encodings.keys();
    if (this.#encodings.size > KEPT_ENCODINGS) this.#encodings.delete(oldest);
    return encoding;
  }

  #checkWidth({ hidden }: TextEmbedding): void {
    const width = hidden.length / CLIP_TOKENS;
    const wanted = this.#model.unet.textWidth ?? width;
    if (width === wanted) return;
    throw new AppError(
      "model_invalid",
      `Cannot condition the UNet of ${this.#model.files.name}: its text width is ${wanted}, ` +
        `and the text encoders give ${width}`,
    );
  }
}

/** True when each step needs a second prediction, for the negative prompt. */
function usesGuidance({ guidanceScale }: GenerationRequest, model: Model): boolean {
  return guidanceScale > 1 && !model.unet.distilled;
}

/** As they were typed: all that is read. */
function promptsOf(request: GenerationRequest, guided: boolean): string[] {
  const { prompt, prompt2, negativePrompt, negativePrompt2 } = request;
  return guided ? [prompt, prompt2, negativePrompt, negativePrompt2] : [prompt, prompt2];
}

function positivePrompts(request: GenerationRequest): readonly [string, string] {
  return written(request, request.prompt, request.prompt2);
}

function negativePrompts(request: GenerationRequest): readonly [string, string] {
  return written(request, request.negativePrompt, request.negativePrompt2);
}

function written(
  request: GenerationRequest,
  first: string,
  second: string,
): readonly [string, string] {
  const write = request.expandKeywords ? expandKeywords : (prompt: string) => prompt;
  return [write(first), write(second || first)];
}

/** One line, even if the prompt is a page long. */
function cutNotice(what: string, { count, cut }: TokenizedPrompt): string {
  return `The ${what} has ${counted(count, "token")}, ${CLIP_TOKENS - 2} are used: ` +
    `the model does not see "${shortened(cut)}"`;
}

function zeros({ hidden, pooled }: TextEmbedding): TextEmbedding {
  return {
    hidden: new Float32Array(hidden.length),
    pooled: pooled && new Float32Array(pooled.length),
  };
}

/** SDXL: each token's states of both encoders side by side; pooled is the second encoder's. */
function joinEncoders(first: TextEmbedding, second: TextEmbedding): TextEmbedding {
  const [width1, width2] = [first, second].map(({ hidden }) => hidden.length / CLIP_TOKENS);
  const hidden = new Float32Array(first.hidden.length + second.hidden.length);
  for (let token = 0; token < CLIP_TOKENS; token++) {
    const at = token * (width1 + width2);
    hidden.set(first.hidden.subarray(token * width1, (token + 1) * width1), at);
    hidden.set(second.hidden.subarray(token * width2, (token + 1) * width2), at + width1);
  }
  return { hidden, pooled: second.pooled };
}
