import { counted } from "../counted.ts";
import { AppError } from "../error.ts";
import {
  CLIP_TOKENS,
  type EncodeOptions,
  joinRows,
  type Model,
  type TextEmbedding,
} from "../inference/mod.ts";
import { type Chunk, emptyChunk } from "./chunks.ts";
import { adapterScales, type GenerationRequest } from "../request/mod.ts";
import { literalNotice } from "./literal_weights.ts";
import { faded, movedFrom, multiplied, type Without } from "./emphasis.ts";
import { negativeSide, positiveSide, type ReadSide, readSide, type Side } from "./sides.ts";
import { joinTexts } from "./join_texts.ts";
import { withPlainPrompts } from "./plain_prompts.ts";
import { loadT5Texts, type ReadT5, type T5Text } from "./t5_texts.ts";
import { loadTokenizer, type PromptTokenizer } from "./tokenizer.ts";

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

/** Turns prompts into what a model's denoiser reads. */
export class PromptConditioner {
  readonly #model: Model;
  readonly #tokenizers: readonly PromptTokenizer[];
  readonly #readT5: ReadT5 | undefined;
  readonly #encodings = new Map<string, TextEmbedding>();

  private constructor(
    model: Model,
    tokenizers: readonly PromptTokenizer[],
    readT5: ReadT5 | undefined,
  ) {
    this.#model = model;
    this.#tokenizers = tokenizers;
    this.#readT5 = readT5;
  }

  /** @throws AppError `model_invalid` when a tokenizer lacks a file. */
  static async load(model: Model): Promise<PromptConditioner> {
    const folders = ["tokenizer", "tokenizer_2"].slice(0, model.textEncoders.length);
    const tokenizers = await Promise.all(
      folders.map((folder) => loadTokenizer(model.files, folder)),
    );
    return new PromptConditioner(model, tokenizers, await loadT5Texts(model));
  }

  /** @throws AppError `invalid_request` for weights that are not read, `unsupported_setting`. */
  async condition(typed: GenerationRequest): Promise<Conditioning> {
    const request = this.#asRead(typed);
    const notices = this.#tokenizers.flatMap((tokenizer) => tokenizer.notices);
    const guided = usesGuidance(request, this.#model);
    const literal = typed.weighting === "none" && literalNotice(promptsOf(request, guided));
    if (literal) notices.push(literal);
    if (!guided && this.#model.family === "flux" && request.negativePrompt !== "") {
      notices.push(`The negative prompt is not used: ${this.#model.files.name} steers without one`);
    }
    const zeroed = guided && this.#zeroesNegative(request);
    const prompt = this.#read(positiveSide(request), request, notices);
    const against = guided && !zeroed
      ? this.#read(negativeSide(request), request, notices)
      : { clips: [] };
    // The network reads both at once: the shorter one is filled up with chunks without words.
    const chunks = [...prompt.clips, ...against.clips].map((clip) => clip.chunks.length);
    const count = Math.max(...chunks);
    this.#checkTokens(count);
    const { weighting, clipSkip: skip } = request;
    const scales = adapterScales(this.#model.files.adapters, request);
    const style = { count, weighting, adapterScales: scales };
    const positive = await this.#embed(prompt, { ...style, skip });
    if (!guided) return { positive, negative: undefined, notices };
    const negative = zeroed ? zeros(positive) : await this.#embed(against, { ...style, skip: 0 });
    return { positive, negative, notices };
  }

  /** As a model reads it that T5 reads for. @throws AppError `unsupported_setting`. */
  #asRead(request: GenerationRequest): GenerationRequest {
    const { family, files } = this.#model;
    if (family === "flux" && request.clipSkip > 0) {
      throw new AppError(
        "unsupported_setting",
        `Cannot leave out layers of the text encoder: ${files.name} reads what CLIP pools, after its ` +
          "last layer. Take clipSkip 0",
        { field: "clipSkip" },
      );
    }
    return this.#model.config.index.transformer ? withPlainPrompts(request) : request;
  }

  #zeroesNegative({ negativePrompt, negativePrompt2 }: GenerationRequest): boolean {
    return this.#model.config.index.zeroesEmptyPrompt &&
      this.#model.family === "sdxl" && negativePrompt === "" && negativePrompt2 === "";
  }

  #read(side: Side, request: GenerationRequest, notices: string[]): ReadText {
    const clips = this.#tokenizers.map((tokenizer, encoder) =>
      readSide(side, encoder, request, tokenizer)
    );
    const t5 = this.#readT5?.(side, request);
    // What CLIP leaves out T5 may still read.
    for (const { notice } of t5 ? [t5] : clips) {
      if (notice && !notices.includes(notice)) notices.push(notice);
    }
    return { clips, t5 };
  }

  async #embed({ clips, t5 }: ReadText, { count, ...style }: Embedding): Promise<TextEmbedding> {
    const parts: TextEmbedding[] = [];
    for (const [encoder, { chunks, plain }] of clips.entries()) {
      const empty = emptyChunk(this.#tokenizers[encoder]);
      const embedded: TextEmbedding[] = [];
      for (let i = 0; i < count; i++) {
        embedded.push(await this.#weighted(encoder, chunks[i] ?? empty, style));
      }
      const joined = joinChunks(embedded);
      const pooled = await this.#pooled(encoder, plain, joined, style);
      parts.push({ ...joined, pooled });
    }
    const { family, unet } = this.#model;
    const long = t5 && await this.#encodeT5(t5);
    const embedding = joinTexts(family, parts, long, unet.textWidth);
    this.#checkWidth(embedding);
    return embedding;
  }

  /** One chunk, as the program weighs it whose way of writing the prompt follows. */
  async #weighted(
    encoder: number,
    { ids, weights, faded: fading }: Chunk,
    { weighting, ...options }: Style,
  ): Promise<TextEmbedding> {
    const plain = await this.#encode(encoder, ids, options);
    if (weights.every((weight) => weight === 1)) return plain;
    if (weighting !== "compel") return multiplied(plain, weights);
    const { ids: none } = emptyChunk(this.#tokenizers[encoder]);
    const unsaid = await this.#encode(encoder, none, options);
    const without: Without[] = [];
    for (const { weight, ...unseen } of fading) {
      const other = await this.#encode(encoder, ids, { ...options, unseen });
      without.push({ weight, embedding: movedFrom(unsaid, other, weights) });
    }
    return faded(movedFrom(unsaid, plain, weights), without);
  }

  /** Compel pools the prompt as it is written, with its signs. */
  async #pooled(
    encoder: number,
    plain: readonly number[],
    { pooled }: TextEmbedding,
    { weighting, ...options }: Style,
  ): Promise<Float32Array | undefined> {
    if (weighting !== "compel" || !pooled) return pooled;
    return (await this.#encode(encoder, plain, options)).pooled;
  }

  async #encode(
    encoder: number,
    ids: readonly number[],
    options: EncodeOptions,
  ): Promise<TextEmbedding> {
    const key = JSON.stringify([encoder, ids, options]);
    return await this.#kept(key, () => this.#model.textEncoders[encoder].encode(ids, options));
  }

  async #encodeT5({ ids }: T5Text): Promise<TextEmbedding | undefined> {
    const { t5 } = this.#model;
    return t5 && await this.#kept(JSON.stringify(["t5", ids]), () => t5.encode(ids));
  }

  async #kept(key: string, encode: () => Promise<TextEmbedding>): Promise<TextEmbedding> {
    const encoding = this.#encodings.get(key) ?? await encode();
    this.#encodings.delete(key);
    this.#encodings.set(key, encoding);
    const [oldest] = this.#encodings.keys();
    if (this.#encodings.size > KEPT_ENCODINGS) this.#encodings.delete(oldest);
    return encoding;
  }

  /** Some exports fix the number of tokens. */
  #checkTokens(chunks: number): void {
    const taken = this.#model.unet.textTokens;
    const tokens = chunks * CLIP_TOKENS;
    if (taken === undefined || taken === tokens) return;
    throw new AppError(
      "unsupported_setting",
      `Cannot use a prompt of ${counted(chunks, "chunk")} of ${CLIP_TOKENS} tokens: the UNet of ` +
        `${this.#model.files.name} takes ${taken} tokens. Write a shorter prompt`,
      { field: "prompt" },
    );
  }

  #checkWidth({ hidden, tokens }: TextEmbedding): void {
    const width = hidden.length / tokens;
    const wanted = this.#model.unet.textWidth ?? width;
    if (width === wanted) return;
    throw new AppError(
      "model_invalid",
      `Cannot condition the network of ${this.#model.files.name}: its text width is ${wanted}, ` +
        `and the text encoders give ${width}`,
    );
  }
}

/** A side for every text encoder. */
interface ReadText {
  readonly clips: readonly ReadSide[];
  readonly t5?: T5Text;
}

interface Style extends Pick<GenerationRequest, "weighting">, Omit<EncodeOptions, "unseen"> {}

interface Embedding extends Style {
  /** Chunks that it is filled up to. */
  readonly count: number;
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

function zeros({ hidden, pooled, tokens }: TextEmbedding): TextEmbedding {
  return {
    hidden: new Float32Array(hidden.length),
    tokens,
    pooled: pooled && new Float32Array(pooled.length),
  };
}

/** Chunk after chunk; what is pooled is the first one's. */
function joinChunks(chunks: readonly TextEmbedding[]): TextEmbedding {
  return {
    hidden: joinRows(chunks.map(({ hidden }) => hidden)),
    tokens: chunks.reduce((sum, { tokens }) => sum + tokens, 0),
    pooled: chunks[0].pooled,
  };
}
