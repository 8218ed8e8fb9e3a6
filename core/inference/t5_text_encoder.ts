import { AppError } from "../error.ts";
import { feed, type Graph, outputOf, requireInputs } from "./graph.ts";
import { floats } from "./tensor.ts";
import type { TextEmbedding } from "./text_encoder.ts";

/** The encoder of T5: token ids to the last hidden state. */
export class T5TextEncoder {
  readonly #graph: Graph;

  /** @throws AppError `model_invalid` when the graph is no such encoder. */
  constructor(graph: Graph) {
    requireInputs(graph, ["input_ids", "attention_mask"]);
    outputOf(graph, HIDDEN);
    const { path, session: { outputs } } = graph;
    if (outputs.some(({ name }) => name === "pooler_output" || name === "text_embeds")) {
      throw new AppError("model_invalid", `Cannot use ${path}: it is of CLIP, and must be of T5`);
    }
    this.#graph = graph;
  }

  /**
   * @param ids padded. As in the pipelines of diffusers, padding is seen by the tokens, and read by the
   * denoiser.
   */
  async encode(ids: readonly number[]): Promise<TextEmbedding> {
    const dims = [1, ids.length];
    const results = await this.#graph.session.run({
      ...feed(this.#graph, "input_ids", Float32Array.from(ids), dims),
      ...feed(this.#graph, "attention_mask", new Float32Array(ids.length).fill(1), dims),
    }, [HIDDEN]);
    return { hidden: floats(results[HIDDEN]), tokens: ids.length, pooled: undefined };
  }
}

const HIDDEN = "last_hidden_state";
