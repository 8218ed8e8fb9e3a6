import { counted } from "../counted.ts";
import { AppError } from "../error.ts";
import { feed, feedAdapters, type Graph, inputOf, outputOf, requireInputs } from "./graph.ts";
import { floats, type Tensor } from "./tensor.ts";

/** Tokens a CLIP text encoder reads, the start and end token included. */
export const CLIP_TOKENS = 77;

/** What a prompt becomes: what the UNet's text inputs take, for one image. */
export interface TextEmbedding {
  /** f32[tokens, width] */
  readonly hidden: Float32Array;
  /** 77 for each chunk of the prompt, and T5's. */
  readonly tokens: number;
  /** f32[projection], of families that read it. */
  readonly pooled: Float32Array | undefined;
}

/** Which of an encoder's outputs a denoiser was trained on. */
export interface TextLayers {
  readonly hidden: "last" | "penultimate";
  /** None where nothing pooled is read. */
  readonly pooled?: "text_embeds" | "pooler_output";
}

export interface EncodeOptions {
  /** Layers that are left out at the end. */
  readonly skip?: number;
  /** Tokens that the others do not see, from the first to before the last. */
  readonly unseen?: { readonly from: number; readonly to: number };
  /** Of the model's adapters, in their order. */
  readonly adapterScales?: readonly number[];
}

/** A CLIP text encoder: token ids to the hidden states of one layer. */
export class ClipTextEncoder {
  readonly #graph: Graph;
  readonly #hidden: string;
  readonly #pooled: string | undefined;

  /** @throws AppError `model_invalid` when the graph lacks the layer. */
  constructor(graph: Graph, { hidden, pooled }: TextLayers) {
    requireInputs(graph, ["input_ids", "attention_mask"]);
    inputOf(graph, "input_ids");
    this.#graph = graph;
    this.#hidden = hidden === "last"
      ? outputOf(graph, "last_hidden_state").name
      : penultimate(graph);
    this.#pooled = pooled && outputOf(graph, pooled).name;
  }

  /**
   * @param ids one chunk's tokens, padded.
   * @throws AppError `unsupported_setting` when the graph does not give out that layer, or takes no mask.
   */
  async encode(
    ids: readonly number[],
    { skip = 0, unseen, adapterScales = [] }: EncodeOptions = {},
  ): Promise<TextEmbedding> {
    const hidden = skip === 0 ? this.#hidden : this.#skipped(skip);
    const fetches = this.#pooled ? [hidden, this.#pooled] : [hidden];
    const feeds = {
      ...feed(this.#graph, "input_ids", Float32Array.from(ids), [1, ids.length]),
      ...this.#mask(ids.length, unseen),
      ...feedAdapters(this.#graph, adapterScales),
    };
    const results = await this.#graph.session.run(feeds, fetches);
    return {
      hidden: floats(results[hidden]),
      tokens: ids.length,
      pooled: this.#pooled ? floats(results[this.#pooled]) : undefined,
    };
  }

  /** Only our own graphs take one: an export has what its pipeline feeds. */
  #mask(tokens: number, unseen: EncodeOptions["unseen"]): Record<string, Tensor> {
    const masked = this.#graph.session.inputs.some(({ name }) => name === "attention_mask");
    if (!masked && unseen) {
      throw new AppError(
        "unsupported_setting",
        `Cannot weigh a word less than 1 as compel does: ${this.#graph.path} takes no attention_mask. ` +
          "Take the model in safetensors, or weighting a1111",
        { field: "weighting" },
      );
    }
    if (!masked) return {};
    const mask = new Float32Array(tokens).fill(1);
    if (unseen) mask.fill(0, unseen.from, unseen.to);
    return feed(this.#graph, "attention_mask", mask, [1, tokens]);
  }

  /** The last layer goes through the last norm, the one before it does not. */
  #skipped(skip: number): string {
    const layer = /^hidden_states\.(\d+)$/.exec(this.#hidden)?.[1];
    const name = layer === undefined
      ? `clip_skip.${skip}`
      : `hidden_states.${Number(layer) - skip}`;
    if (this.#graph.session.outputs.some((output) => output.name === name)) return name;
    throw new AppError(
      "unsupported_setting",
      `Cannot leave out ${
        counted(skip, "layer")
      } of the text encoder: ${this.#graph.path} does not give ` +
        "out the layer before. Take a smaller clipSkip, or the model in safetensors",
      { field: "clipSkip" },
    );
  }

  release(): Promise<void> {
    return this.#graph.session.release();
  }
}

/** `hidden_states.0` is the embedding and the highest the last layer: the one before that. */
function penultimate({ path, session }: Graph): string {
  const layers = session.outputs.map(({ name }) => /^hidden_states\.(\d+)$/.exec(name)?.[1])
    .filter((layer) => layer !== undefined).map(Number);
  if (layers.length < 2) {
    const names = session.outputs.map(({ name }) => name).join(", ");
    throw new AppError(
      "model_invalid",
      `Cannot use ${path}: SDXL needs its hidden_states.N, and its outputs are ${names}`,
    );
  }
  return `hidden_states.${Math.max(...layers) - 1}`;
}
