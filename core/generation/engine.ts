import type { DeviceMemory } from "../gpu/mod.ts";
import type { Backend } from "../inference/mod.ts";
import type { Plan } from "../schedule/mod.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { LatentDims, Leaf, StepState } from "../denoise/mod.ts";
import type { GenerationRequest, RequestDefaults } from "../request/mod.ts";
import type { NetworkImages, SourceImages } from "./source.ts";

/** How far a generation is. */
export interface StepProgress {
  /** Of the step that ended, from 0. */
  readonly index: number;
  readonly steps: number;
  readonly timestep: number;
  /** A small picture of each image as the model sees it now; undefined if it has no preview map. */
  preview(): readonly RgbaImage[] | undefined;
}

export interface GenerateOptions {
  /** For a request that names images. */
  readonly source?: SourceImages;
  /**
   * Requests of the same batch, where {@link canBatchWith} holds. Their images, leaves and
   * previews follow the request's own, in this order.
   */
  readonly batchedWith?: readonly GenerationRequest[];
  readonly onStep?: (progress: StepProgress) => void;
  /** Each committed tensor once, in the transcript's order. */
  readonly onLeaf?: (leaf: Leaf) => void;
  /** Stops the generation between two network calls. */
  readonly signal?: AbortSignal;
  /** Milliseconds, from any origin. */
  readonly clock?: () => number;
}

/** Milliseconds of each part of a generation. */
export interface Timings {
  readonly textMs: number;
  /** One a step. */
  readonly networkMs: readonly number[];
  /** Noise, guidance, solver and rounding of all steps. */
  readonly solverMs: number;
  readonly decodeMs: number;
}

export interface Generation {
  readonly request: GenerationRequest;
  readonly plan: Plan;
  /** One image's latent. */
  readonly latentDims: LatentDims;
  readonly images: readonly RgbaImage[];
  readonly timings: Timings;
  /** Of the device that computed, with all that is loaded there; undefined on a CPU. */
  readonly deviceMemory: DeviceMemory | undefined;
  /** Sentences for the user: what was cut, what was chosen. */
  readonly notices: readonly string[];
}

/**
 * A model that is loaded somewhere and makes images: in this process, in a page's worker, or in a
 * Chrome that the server drives. Disposing it frees what it holds there.
 */
export interface ImageEngine extends AsyncDisposable {
  /** The model's name, as its files have it. */
  readonly model: string;
  /** Library and device that compute, for people. */
  readonly compute: string;
  /** The same for receipts. */
  readonly backend: Backend;
  /** The model's recommended settings, as far as its folder says. */
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** Why it cannot compute now, as a sentence, where it knows. */
  readonly problem?: string;
  /**
   * Runs a request, and those batched with it.
   * @throws AppError `unsupported_setting` for a scheduler that is no plan, `cancelled`, or
   * `inference_failed`.
   */
  generate(request: GenerationRequest, options?: GenerateOptions): Promise<Generation>;
  /**
   * What the network makes of single states of one image, as the run would have committed it: all
   * of them in one batch where the graph takes that.
   * @param given what else the network reads, where the request says so.
   * @returns D_i of each state, float16 bits: u16[channels, height, width].
   */
  predict(
    request: GenerationRequest,
    states: readonly StepState[],
    given?: NetworkImages,
  ): Promise<readonly Uint16Array<ArrayBuffer>[]>;
  /** The image of a last state. @param bits x_N, float16 bits: u16[channels, height, width]. */
  decode(request: GenerationRequest, bits: Uint16Array): Promise<RgbaImage>;
  /**
   * The latent of an image of the request's size, as a run that starts from it commits it.
   * @param mask leaves of it what is kept, as an inpainting network is given it.
   * @returns float16 bits: u16[channels, height, width].
   */
  encode(
    request: GenerationRequest,
    image: RgbaImage,
    mask?: RgbaImage,
  ): Promise<Uint16Array<ArrayBuffer>>;
}
