import { AppError } from "../error.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { ModelConfig } from "../model/mod.ts";
import { feed, type Graph, inputOf, requireInputs } from "./graph.ts";
import { floats } from "./tensor.ts";
import { scaled } from "./vae_scale.ts";
import { byTiles, isTiled, type Planes, vaeTiling } from "./vae_tiles.ts";

/** What graphs call the posterior's mean: ours, and exports that give it alone or both moments. */
const MEANS = ["mean", "latent_sample", "latent_parameters"];

/** Of an image in pixels, and of its latent. */
interface EncodedSize {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Encodes an image into a latent, one at a time. */
export class VaeEncoder {
  readonly #graph: Graph;
  readonly #config: ModelConfig["vae"];
  readonly #output: string;

  constructor(graph: Graph, config: ModelConfig["vae"]) {
    requireInputs(graph, ["sample"]);
    inputOf(graph, "sample");
    this.#graph = graph;
    this.#config = config;
    const found = graph.session.outputs.find(({ name }) => MEANS.includes(name));
    this.#output = found?.name ?? noMean(graph);
  }

  /** As {@link encode}, but in tiles as diffusers cuts them where the image is larger than one. */
  async encodeTiled(
    image: Float32Array,
    { width, height, channels }: EncodedSize,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { encode: tiling } = vaeTiling(this.#config.sample_size);
    const planes: Planes = { values: image, dims: [3, height, width] };
    if (!isTiled(planes, tiling)) return await this.encode(image, { width, height, channels });
    const latent = await byTiles(planes, tiling, async ({ values, dims: [, high, wide] }) => ({
      values: await this.encode(Float32Array.from(values), {
        ...{ width: wide, height: high, channels },
      }),
      dims: [channels, high / LATENT_SCALE, wide / LATENT_SCALE],
    }));
    return Float32Array.from(latent.values);
  }

  /**
   * The mean of the VAE's posterior, in the network's scale: the same for the same image.
   * @param image f32[3, height, width] in [-1, 1].
   * @param channels of the latent.
   * @returns f32[channels, height / 8, width / 8].
   * @throws AppError `not_finite` when it overflows.
   */
  async encode(
    image: Float32Array,
    { width, height, channels }: EncodedSize,
  ): Promise<Float32Array<ArrayBuffer>> {
    const input = feed(this.#graph, "sample", image, [1, 3, height, width]);
    const results = await this.#graph.session.run(input, [this.#output]);
    const moments = floats(results[this.#output]);
    // Of both moments the means come first.
    const means = this.#output === "latent_parameters"
      ? moments.subarray(0, moments.length / 2)
      : moments;
    const latent = scaled(this.#config, means, channels);
    if (latent.every(Number.isFinite)) return latent;
    throw new AppError(
      "not_finite",
      `Cannot encode the image: the output of ${this.#graph.path} is not finite`,
    );
  }
}

function noMean({ path, session }: Graph): never {
  const names = session.outputs.map(({ name }) => name).join(", ");
  throw new AppError(
    "model_invalid",
    `Cannot use ${path}: none of its outputs (${names}) is ${MEANS.join(" or ")}`,
  );
}
