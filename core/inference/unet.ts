import { AppError } from "../error.ts";
import type { TransformerFamily } from "../model/mod.ts";
import { feed, feedAdapters, type Graph, inputOf, outputOf, requireInputs } from "./graph.ts";
import { type NetworkConditioning, takes, textInputs, timestepInput } from "./network_inputs.ts";
import { type Place, residualNames, type Residuals } from "./residuals.ts";
import { type ElementType, floats, type GpuTensor, joinRows, type Tensor } from "./tensor.ts";

/** All inputs of the UNet but sample and timestep. */
export interface UnetConditioning extends NetworkConditioning {
  /** For models distilled from guidance (LCM, FLUX.1 [dev]), which read its scale as an input. */
  readonly guidanceScale: number;
  /** Of the model's adapters, in their order. */
  readonly adapterScales: readonly number[];
  /** Of an inpainting model, for each row alike: [channels, height, width], a mask and what it keeps. */
  readonly masked?: { readonly values: Float32Array; readonly dims: readonly number[] };
}

const INPUTS = [
  "sample",
  "timestep",
  "encoder_hidden_states",
  "text_embeds",
  "time_ids",
  "timestep_cond",
  "guidance",
  "masked",
];

/**
 * The denoising network: a UNet, or a transformer whose graph takes the same. Names, types and ranks of
 * its inputs are the graph's own.
 */
export class Unet {
  readonly #graph: Graph;
  readonly #output: string;
  /** True when no second prediction is needed for guidance, whether the graph reads its scale or not. */
  readonly distilled: boolean;
  /** True when the graph reads the guidance scale. */
  readonly readsGuidance: boolean;
  /** True when the graph takes SDXL's pooled text and sizes. */
  readonly takesSizes: boolean;
  /** True when the graph reads a mask, and the latent of what that keeps. */
  readonly readsMask: boolean;
  /** What ControlNets add to, by place: the graph's own names. Empty where it takes none. */
  readonly residuals: ReadonlyMap<Place, string>;

  /** @throws AppError `model_invalid` when the graph is no UNet of this family. */
  constructor(graph: Graph, transformer?: TransformerFamily) {
    this.residuals = residualNames(graph.session.inputs);
    requireInputs(graph, [...INPUTS, ...this.residuals.values()]);
    for (const name of INPUTS.slice(0, 3)) inputOf(graph, name);
    const has = (name: string) => takes(graph, name);
    this.#graph = graph;
    this.#output = outputOf(graph, "out_sample").name;
    this.readsGuidance = has("timestep_cond") || has("guidance");
    this.distilled = this.readsGuidance || transformer === "flux";
    this.readsMask = has("masked");
    this.takesSizes = has("time_ids");
    if (!transformer && this.takesSizes !== has("text_embeds")) {
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
      ...textInputs(this.#graph, conditioning),
      ...(this.readsGuidance ? this.#guidance(conditioning) : {}),
      ...this.#masked(conditioning),
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
      ...timestepInput(this.#graph, timesteps, dims[0]),
      ...constant,
    };
    const results = await this.#graph.session.run(feeds, [this.#output]);
    return floats(results[this.#output]);
  }

  /**
   * What ControlNets add, as the graph takes it.
   * @param residuals one for each place of {@link residuals}.
   */
  residualInputs(residuals: Residuals): Readonly<Record<string, Tensor>> {
    const inputs = [...this.residuals].map(([place, name]) => {
      const tensor = residuals.get(place);
      return tensor && feed(this.#graph, name, floats(tensor), tensor.dims);
    });
    return Object.assign({}, ...inputs);
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
    const feeds = {
      sample,
      ...timestepInput(this.#graph, [timestep], sample.dims[0]),
      ...constant,
    };
    await this.#graph.session.runInto(feeds, { [this.#output]: output });
  }

  get path(): string {
    return this.#graph.path;
  }

  release(): Promise<void> {
    return this.#graph.session.release();
  }

  /** True when rows may have timesteps of their own. */
  get takesTimesteps(): boolean {
    return typeof inputOf(this.#graph, "timestep").dims[0] === "string";
  }

  #masked({ text, masked }: UnetConditioning): Record<string, Tensor> {
    if (!masked) return {};
    const values = joinRows(text.map(() => masked.values));
    return feed(this.#graph, "masked", values, [text.length, ...masked.dims]);
  }

  #guidance({ text, guidanceScale }: UnetConditioning): Record<string, Tensor> {
    if (takes(this.#graph, "guidance")) {
      const scales = new Float32Array(text.length).fill(guidanceScale);
      return feed(this.#graph, "guidance", scales, [text.length]);
    }
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
