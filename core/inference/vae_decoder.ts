import { AppError } from "../error.ts";
import { feed, type Graph, inputOf, outputOf, requireInputs } from "./graph.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { ModelConfig } from "../model/mod.ts";
import { type ElementType, floats, type GpuTensor, type Tensor } from "./tensor.ts";
import { unscaled } from "./vae_scale.ts";
import { byTiles, isTiled, type Planes, vaeTiling } from "./vae_tiles.ts";

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
   * @throws AppError `not_finite` when it overflows, as SDXL's first VAE does in float16.
   */
  async decode(latent: Float32Array, dims: readonly number[]): Promise<Float32Array> {
    const results = await this.#graph.session.run(this.#feeds(latent, dims), [this.#output]);
    const image = floats(results[this.#output]);
    if (!isFinite(image)) throw this.overflow();
    return image;
  }

  /**
   * As {@link decode}, but in tiles as diffusers cuts them where the latent is larger than one, so that
   * what the network needs does not grow with the image.
   */
  async decodeTiled(latent: Float32Array, dims: Planes["dims"]): Promise<Float32Array> {
    const { decode: tiling } = vaeTiling(this.#config.sample_size);
    const planes = { values: latent, dims };
    if (!isTiled(planes, tiling)) return await this.decode(latent, dims);
    const image = await byTiles(planes, tiling, async ({ values, dims: [c, height, width] }) => ({
      values: await this.decode(Float32Array.from(values), [c, height, width]),
      dims: [3, LATENT_SCALE * height, LATENT_SCALE * width],
    }));
    return Float32Array.from(image.values);
  }

  /** What the graph gives its image as. */
  get outputType(): ElementType {
    return outputOf(this.#graph, this.#output).type;
  }

  /**
   * As {@link decode}, into a buffer on the runtime's device and without waiting for it; the
   * caller checks whether the image is finite.
   * @param output [1, 3, 8 * height, 8 * width] of {@link outputType}.
   */
  async decodeInto(
    latent: Float32Array,
    dims: readonly number[],
    output: GpuTensor,
  ): Promise<void> {
    await this.#graph.session.runInto(this.#feeds(latent, dims), { [this.#output]: output });
  }

  /** The error for an image that is not finite. */
  overflow(): AppError {
    const half = inputOf(this.#graph, "latent_sample").type === "float16";
    const remedy = half && this.#config.force_upcast
      ? ": this VAE needs float32 weights, or the fp16-fix VAE"
      : "";
    return new AppError(
      "not_finite",
      `Cannot decode the latent: the output of ${this.#graph.path} is not finite${remedy}`,
    );
  }

  #feeds(latent: Float32Array, dims: readonly number[]): Record<string, Tensor> {
    const sample = unscaled(this.#config, latent, dims[0]);
    return feed(this.#graph, "latent_sample", sample, [1, ...dims]);
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
