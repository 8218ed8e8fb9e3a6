import { AppError } from "../error.ts";
import type { GenerationRequest } from "../request/mod.ts";
import type { Leaf } from "../denoise/mod.ts";
import type { Plan } from "../schedule/mod.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import {
  type Commitment,
  type LatentShape,
  leavesOfImages,
  MASKED_SOURCES,
  sourcesOf,
  TranscriptBuilder,
} from "../transcript/mod.ts";

/** Commits to each image of a run while its steps finish. */
export class RunRecorder {
  readonly #request: GenerationRequest;
  readonly #keep: boolean;
  readonly #leaves: Leaf[] = [];
  readonly #waiting: Leaf[] = [];
  #latent: LatentShape | undefined;
  #builders: readonly TranscriptBuilder[] = [];

  /** @param options `keep`: the leaves are wanted afterwards. */
  constructor(request: GenerationRequest, options: { readonly keep: boolean }) {
    this.#request = request;
    this.#keep = options.keep;
  }

  /** Takes the run's next leaf, of all images. */
  readonly add = (leaf: Leaf): void => {
    // Which sources there are is known with x_0: some networks read one more than others.
    this.#waiting.push(leaf);
    if (leaf.kind === "s" || leaf.kind === "m" || leaf.kind === "k") return;
    this.#begin(leaf);
    for (const each of this.#waiting.splice(0)) this.#commit(each);
  };

  #commit(leaf: Leaf): void {
    const ofImages = leavesOfImages(leaf, this.#builders.length);
    for (const [k, builder] of this.#builders.entries()) builder.add(ofImages[k]);
    if (this.#keep) this.#leaves.push(leaf);
  }

  /**
   * The commitments to the leaves and these files, one an image.
   * @param plan The run's: some solvers take more rows than the request has steps.
   */
  finish(files: readonly Uint8Array[], { rows }: Pick<Plan, "rows">): Commitment[] {
    return this.#builders.map((builder, k) => builder.finish(files[k], rows.length));
  }

  get leaves(): readonly Leaf[] {
    return this.#leaves;
  }

  /** Of one image. @throws AppError `transcript_invalid` before the first leaf. */
  get latent(): LatentShape {
    if (this.#latent) return this.#latent;
    throw new AppError("transcript_invalid", "Cannot commit to a run: its first leaf is not there");
  }

  /** The number of channels comes with the first leaf. */
  #begin({ bits }: Leaf): void {
    if (this.#latent) return;
    const { batch } = this.#request;
    const [height, width] = [
      this.#request.height / LATENT_SCALE,
      this.#request.width / LATENT_SCALE,
    ];
    const latent = [bits.length / batch / height / width, height, width] as const;
    this.#latent = latent;
    const readsMask = this.#waiting.some(({ kind }) => kind === "k");
    const sources = readsMask ? MASKED_SOURCES : sourcesOf({ request: this.#request });
    this.#builders = Array.from({ length: batch }, () => new TranscriptBuilder(latent, sources));
  }
}
