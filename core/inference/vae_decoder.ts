import { AppError } from "../error.ts";
import { feed, type Graph, inputOf, requireInputs } from "./graph.ts";
import type { ModelConfig } from "./model_config.ts";
import { floats } from "./tensor.ts";

/** Decodes a latent, one image at a time: activations of the last layers are a VAE's peak memory. */
export class VaeDecoder {
  readonly #graph: Graph;
  readonly #config: ModelConfig["vae"];
  readonly #output: string;

  constructor(graph: Graph, config: ModelConfig["vae"]) {
    requireInputs(graph, ["latent_sample"]);
    inputOf(graph, "latent_sample");
    this.#graph = graph;
    this.#config = config;
    this.#output = graph.session.outputs[0].name;
  }

  /**
   * @param latent f32[4, height, width] as the UNet sees it.
   * @returns f32[3, 8 * height, 8 * width] in about [-1, 1].
   * @throws AppError `inference_failed` when it overflows, as SDXL's first VAE does in float16.
   */
  async decode(latent: Float32Array, dims: readonly number[]): Promise<Float32Array> {
    const { scaling_factor, shift_factor } = this.#config;
    const sample = latent.map((value) => value / scaling_factor + (shift_factor ?? 0));
    const feeds = feed(this.#graph, "latent_sample", sample, [1, ...dims]);
    const results = await this.#graph.session.run(feeds, [this.#output]);
    const image = floats(results[this.#output]);
    if (!isFinite(image)) throw overflow(this.#graph, this.#config.force_upcast);
    return image;
  }

  release(): Promise<void> {
    return this.#graph.session.release();
  }
}

/** True when no value is infinite or NaN: the difference with itself is 0 only for finite ones. */
function isFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return false;
  return true;
}

function overflow(graph: Graph, forceUpcast: boolean): AppError {
  const half = inputOf(graph, "latent_sample").type === "float16" && forceUpcast;
  const remedy = half ? ": this VAE needs float32 weights, or the fp16-fix VAE" : "";
  return new AppError(
    "inference_failed",
    `Cannot decode the latent: the output of ${graph.path} is not finite${remedy}`,
  );
}
