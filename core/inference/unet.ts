import { AppError } from "../error.ts";
import { feed, feedAdapters, type Graph, inputOf, outputOf, requireInputs } from "./graph.ts";
import { type ElementType, floats, type GpuTensor, joinRows, type Tensor } from "./tensor.ts";
import type { TextEmbedding } from "./text_encoder.ts";

/** All inputs of the UNet but sample and timestep. */
export interface UnetConditioning {
  /** One for each row of the sample. */
  readonly text: readonly TextEmbedding[];
  /** SDXL: original height and width, crop top and left, target height and width, in pixels. */
  readonly timeIds: readonly number[];
  /** For models distilled from guidance (LCM), which read its scale as an input. */
  readonly guidanceScale: number;
  /** Of the model's adapters, in their order. */
  readonly adapterScales: readonly number[];
}

const INPUTS = [
  "sample",
  "timestep",
  "encoder_hidden_states",
  "text_embeds",
  "time_ids",
  "timestep_cond",
];

/** The denoising network. Names, types and ranks of its inputs are the graph's own. */
export class Unet {
  readonly #graph: Graph;
  readonly #output: string;
  /** True when the graph reads the guidance scale, so that no second prediction is needed. */
  readonly distilled: boolean;
  /** True when the graph takes SDXL's pooled text and sizes. */
  readonly takesSizes: boolean;

  /** @throws AppError `model_invalid` when the graph is no UNet of this family. */
  constructor(graph: Graph) {
    requireInputs(graph, INPUTS);
    for (const name of INPUTS.slice(0, 3)) inputOf(graph, name);
    const has = (name: string) => graph.session.inputs.some((input) => input.name === name);
    this.#graph = graph;
    this.#output = outputOf(graph, "out_sample").name;
    this.distilled = has("timestep_cond");
    this.takesSizes = has("time_ids");
    if (this.takesSizes !== has("text_embeds")) {
      throw new AppError(
        "model_invalid",
        `Cannot use ${graph.path}: of text_embeds and time_ids one is missing`,
      );
    }
  }

  /** Tokens of the text, where the graph takes one number of them alone. */
  get textTokens(): number | undefined {
    const tokens = inputOf(this.#graph, "encoder_hidden_states").dims[1];
    return typeof tokens === "number" && tokens > 0 ? tokens : undefined;
  }

  /** Width of the text embedding, where the graph says it. */
  get textWidth(): number | undefined {
    const width = inputOf(this.#graph, "encoder_hidden_states").dims[2];
    return typeof width === "number" && width > 0 ? width : undefined;
  }

  /** The inputs that stay the same over a whole run, one row for each text. */
  constantInputs(conditioning: UnetConditioning): Readonly<Record<string, Tensor>> {
    return {
      ...this.#text(conditioning.text),
      ...(this.takesSizes ? this.#sizes(conditioning) : {}),
      ...(this.distilled ? this.#guidance(conditioning) : {}),
      ...feedAdapters(this.#graph, conditioning.adapterScales),
    };
  }

  /**
   * @param sample f32[rows, channels, height, width], already scaled for the network.
   * @param timesteps one for all rows, or one each where the graph {@link takesTimesteps}.
   * @param constant of as many rows, from {@link constantInputs}.
   * @returns what the network predicts, shaped as the sample.
   */
  async predict(
    sample: Float32Array,
    dims: readonly number[],
    timesteps: readonly number[],
    constant: Readonly<Record<string, Tensor>>,
  ): Promise<Float32Array> {
    const feeds = {
      ...feed(this.#graph, "sample", sample, dims),
      ...this.#timesteps(timesteps, dims[0]),
      ...constant,
    };
    const results = await this.#graph.session.run(feeds, [this.#output]);
    return floats(results[this.#output]);
  }

  /** What the graph takes its sample as, and gives its prediction as. */
  get types(): { readonly sample: ElementType; readonly output: ElementType } {
    return {
      sample: inputOf(this.#graph, "sample").type,
      output: outputOf(this.#graph, this.#output).type,
    };
  }

  /** As {@link predict}, in buffers on the runtime's device and without waiting for it. */
  async predictInto(
    sample: GpuTensor,
    timestep: number,
    constant: Readonly<Record<string, Tensor | GpuTensor>>,
    output: GpuTensor,
  ): Promise<void> {
    const feeds = { sample, ...this.#timesteps([timestep], sample.dims[0]), ...constant };
    await this.#graph.session.runInto(feeds, { [this.#output]: output });
  }

  release(): Promise<void> {
    return this.#graph.session.release();
  }

  /** True when rows may have timesteps of their own. */
  get takesTimesteps(): boolean {
    return typeof inputOf(this.#graph, "timestep").dims[0] === "string";
  }

  /** A scalar, one for all rows, or one a row: as the graph's own shape says. */
  #timesteps(timesteps: readonly number[], rows: number): Record<string, Tensor> {
    const { dims } = inputOf(this.#graph, "timestep");
    const batch = inputOf(this.#graph, "sample").dims[0];
    const perRow = typeof dims[0] === "string" && dims[0] !== "" && dims[0] === batch;
    const values = perRow && timesteps.length === 1
      ? new Float32Array(rows).fill(timesteps[0])
      : Float32Array.from(timesteps);
    return feed(this.#graph, "timestep", values, dims.length === 0 ? [] : [values.length]);
  }

  #text(text: readonly TextEmbedding[]): Record<string, Tensor> {
    const hidden = joinRows(text.map((row) => row.hidden));
    const { tokens } = text[0];
    const width = hidden.length / text.length / tokens;
    return feed(this.#graph, "encoder_hidden_states", hidden, [text.length, tokens, width]);
  }

  #sizes({ text, timeIds }: UnetConditioning): Record<string, Tensor> {
    const pooled = joinRows(text.map((row) => row.pooled ?? new Float32Array()));
    const ids = joinRows(text.map(() => Float32Array.from(timeIds)));
    return {
      ...feed(this.#graph, "text_embeds", pooled, [text.length, pooled.length / text.length]),
      ...feed(this.#graph, "time_ids", ids, [text.length, timeIds.length]),
    };
  }

  #guidance({ text, guidanceScale }: UnetConditioning): Record<string, Tensor> {
    const width = Number(inputOf(this.#graph, "timestep_cond").dims[1]) || 256;
    const row = guidanceEmbedding(guidanceScale - 1, width);
    return feed(this.#graph, "timestep_cond", joinRows(text.map(() => row)), [text.length, width]);
  }
}

/**
 * Sinusoidal embedding of w = guidance scale - 1, times 1000, as LCM's UNet was trained on.
 * @see Latent Consistency Models, https://arxiv.org/abs/2310.04378, section 4.2.
 */
function guidanceEmbedding(w: number, width: number): Float32Array {
  const half = width >> 1;
  const values = new Float32Array(width);
  for (let i = 0; i < half; i++) {
    const angle = 1000 * w * Math.exp(-Math.log(10000) * i / (half - 1));
    values[i] = Math.sin(angle);
    values[half + i] = Math.cos(angle);
  }
  return values;
}
