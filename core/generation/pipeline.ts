import { AppError, type ErrorCode, throwIfAborted } from "../error.ts";
import { fromHalf, roundHalf, toHalf } from "../half.ts";
import {
  loadModel,
  type LoadOptions,
  type Model,
  type Runtime,
  vaeTiling,
} from "../inference/mod.ts";
import type { ModelFiles } from "../model/mod.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { Plan, Source } from "../schedule/mod.ts";
import { type Conditioning, PromptConditioner } from "../prompt/mod.ts";
import { runControl } from "./control.ts";
import { defaultsOf } from "./defaults.ts";
import type { GenerateOptions, Generation, ImageEngine, StepProgress } from "./engine.ts";
import { denoise, type LatentDims, predictSteps, type StepState } from "../denoise/mod.ts";
import {
  fromRgba,
  hardMask,
  keptPlanes,
  latentMask,
  previewLatent,
  type RgbaImage,
  toRgba,
} from "../image/mod.ts";
import { decodeOnGpu, decodingNeeds } from "./gpu_decode.ts";
import { checkSource, type NetworkImages, type SourceImages } from "./source.ts";

import {
  adapterScales,
  canBatchWith,
  checkSize,
  type GenerationRequest,
  planFor,
  type RequestDefaults,
} from "../request/mod.ts";

/** What a device fails with. It has nothing left to free then. */
const DEVICE_FAILURES: readonly ErrorCode[] = ["device_lost", "gpu_failed"];

/** A loaded model with its prompt encoder, in this process. Owns the model. */
export class Pipeline implements ImageEngine {
  readonly #model: Model;
  readonly #conditioner: PromptConditioner;

  private constructor(model: Model, conditioner: PromptConditioner) {
    this.#model = model;
    this.#conditioner = conditioner;
  }

  /**
   * @throws AppError `model_invalid` naming the file that is missing, damaged or unfit,
   * `host_unavailable` when the device is too small for the model, `gpu_failed`, `device_lost`.
   */
  static async open(
    files: ModelFiles,
    runtime: Runtime,
    options: LoadOptions = {},
  ): Promise<Pipeline> {
    const loading = loadModel(files, runtime, options);
    try {
      const model = await (runtime.gpu?.orFailure(loading) ?? loading);
      return new Pipeline(model, await PromptConditioner.load(model));
    } catch (error) {
      // Not awaited: on a device that failed it may still be loading.
      void loading.then((model) => model[Symbol.asyncDispose]()).catch(() => {});
      throw error;
    }
  }

  get model(): string {
    return this.#model.files.name;
  }

  get compute(): string {
    return this.#model.runtime.name;
  }

  get backend(): ImageEngine["backend"] {
    return this.#model.runtime.backend;
  }

  get defaults(): Omit<RequestDefaults, "seed"> {
    return defaultsOf(this.#model);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // Not awaited on a device that fails: a run that hangs there would never let a session go.
      await this.#orFailure(this.#model[Symbol.asyncDispose]());
    } catch (error) {
      if (!(error instanceof AppError && DEVICE_FAILURES.includes(error.code))) throw error;
    }
  }

  /**
   * As {@link ImageEngine.generate}. On a runtime that takes one image a call, the same request
   * gives the same bits, and an image is the same alone and in a batch.
   */
  async generate(request: GenerationRequest, options: GenerateOptions = {}): Promise<Generation> {
    return await this.#orFailure(this.#run(request, options));
  }

  async predict(
    request: GenerationRequest,
    states: readonly StepState[],
    given?: NetworkImages,
  ): Promise<Uint16Array<ArrayBuffer>[]> {
    // As the loop commits it. Unrounded it would differ from an honest D_i by the rounding, which at
    // low noise is more than any float32 backend adds (1.7e-2 of velocity error at the last of 20
    // steps, and 0 when both are rounded).
    return (await this.predictUnrounded(request, states, given)).map((values) => toHalf(values));
  }

  /** As {@link predict} before the rounding, f32: how far hosts themselves are apart. */
  async predictUnrounded(
    request: GenerationRequest,
    states: readonly StepState[],
    given?: NetworkImages,
  ): Promise<Float32Array[]> {
    return await this.#orFailure(this.#predict(request, states, given));
  }

  async decode(request: GenerationRequest, bits: Uint16Array): Promise<RgbaImage> {
    this.#checkRoom(request);
    const dims = latentDimsOf(this.#model, request);
    return await this.#orFailure(this.#decode(fromHalf(bits), dims, request));
  }

  async encode(
    request: GenerationRequest,
    image: RgbaImage,
    mask?: RgbaImage,
  ): Promise<Uint16Array<ArrayBuffer>> {
    return toHalf(await this.#orFailure(this.#encode(request, image, mask)));
  }

  /** @throws AppError `host_unavailable` when the device is too small for such an image. */
  #checkRoom(request: GenerationRequest): void {
    const { runtime: { gpu }, config: { vae } } = this.#model;
    const size = request.vaeTiling ? tileSize(vae.sample_size, request) : request;
    gpu?.require(decodingNeeds(this.#model, size));
  }

  async #orFailure<T>(run: PromiseLike<T>): Promise<T> {
    const { gpu } = this.#model.runtime;
    return await (gpu ? gpu.orFailure(run) : run);
  }

  async #predict(
    request: GenerationRequest,
    states: readonly StepState[],
    given: NetworkImages | undefined,
  ): Promise<Float32Array[]> {
    const scales = adapterScales(this.#model.files.adapters, request);
    const control = await runControl(this.#model, request, given);
    const { plan } = planFor(this.#model.config.scheduler, request);
    const conditioning = await this.#conditioner.condition(request);
    const { guidanceScale, guidanceRescale } = request;
    const [dims, timeIds] = [latentDimsOf(this.#model, request), timeIdsOf(request)];
    const guidance = { guidanceScale, guidanceRescale };
    const of = { dims, conditioning, ...guidance, timeIds, adapterScales: scales };
    const input = { plan, ...of, states, control, source: given?.source };
    return await predictSteps(this.#model, input);
  }

  async #run(
    request: GenerationRequest,
    options: GenerateOptions,
  ): Promise<Generation> {
    const { batchedWith = [], onStep, onLeaf, signal, clock = () => performance.now() } = options;
    throwIfAborted(signal, "generate");
    this.#checkRoom(request);
    const scales = adapterScales(this.#model.files.adapters, request);
    const requests = [request, ...checkBatch(request, batchedWith)];
    checkSize(this.#model.config.denoiser, request);
    const { plan, notices } = planFor(this.#model.config.scheduler, request);
    const latentDims = latentDimsOf(this.#model, request);
    const started = clock();
    const conditionings: Conditioning[] = [];
    for (const each of requests) {
      const conditioning = await this.#conditioner.condition(each);
      conditionings.push(...Array.from({ length: each.batch }, () => conditioning));
    }
    const source = await this.#source(request, options.source);
    const control = await runControl(this.#model, request, options.source);
    const conditioned = clock();
    const { latents, networkMs, solverMs } = await denoise(this.#model, {
      plan,
      dims: latentDims,
      seeds: requests.flatMap(seedsOf),
      conditionings,
      guidanceScale: request.guidanceScale,
      guidanceRescale: request.guidanceRescale,
      timeIds: timeIdsOf(request),
      adapterScales: scales,
      source,
      control,
    }, {
      signal,
      clock,
      onLeaf,
      onStep: (index, denoised) => onStep?.(this.#progress(plan, index, denoised, latentDims)),
    });
    const denoisedAt = clock();
    const images: RgbaImage[] = [];
    for (const latent of latents) {
      throwIfAborted(signal, "generate");
      images.push(await this.#decode(latent, latentDims, request));
    }
    const timings = {
      textMs: conditioned - started,
      networkMs,
      solverMs,
      decodeMs: clock() - denoisedAt,
    };
    return {
      request,
      plan,
      latentDims,
      images,
      timings,
      deviceMemory: this.#model.runtime.gpu?.memory,
      notices: [
        ...new Set([
          ...notices,
          ...this.#model.config.notices,
          ...conditionings.flatMap((each) => each.notices),
        ]),
      ],
    };
  }

  /** What a run starts from, rounded as it is committed. */
  async #source(
    request: GenerationRequest,
    images: SourceImages | undefined,
  ): Promise<Source | undefined> {
    checkSource(request, images);
    const { readsMask } = this.#model.unet;
    if (readsMask && request.mask === undefined) throw withoutMask(this.model);
    if (!images?.image) return undefined;
    const { image, mask } = images;
    const latent = roundHalf(await this.#encode(request, image));
    if (!mask) return { latent };
    const dims = latentDimsOf(this.#model, request);
    if (!readsMask) return { latent, mask: latentMask(mask, dims) };
    const kept = roundHalf(await this.#encode(request, image, mask));
    return { latent, mask: latentMask(hardMask(mask), dims), kept };
  }

  async #encode(
    { width, height, vaeTiling }: GenerationRequest,
    image: RgbaImage,
    mask?: RgbaImage,
  ): Promise<Float32Array<ArrayBuffer>> {
    const encoder = await this.#model.vaeEncoder();
    const channels = this.#model.config.vae.latent_channels;
    const planes = mask ? keptPlanes(fromRgba(image), mask) : fromRgba(image);
    const of = { width, height, channels };
    return vaeTiling ? await encoder.encodeTiled(planes, of) : await encoder.encode(planes, of);
  }

  async #decode(
    latent: Float32Array,
    dims: LatentDims,
    { width, height, vaeTiling }: Pick<GenerationRequest, "width" | "height" | "vaeTiling">,
  ): Promise<RgbaImage> {
    const { runtime: { gpu }, vaeDecoder } = this.#model;
    if (vaeTiling) return toRgba(await vaeDecoder.decodeTiled(latent, dims), width, height);
    if (gpu) return await decodeOnGpu(gpu, vaeDecoder, latent, dims, { width, height });
    return toRgba(await vaeDecoder.decode(latent, dims), width, height);
  }

  #progress(
    plan: Plan,
    index: number,
    denoised: readonly Float32Array[],
    [, height, width]: LatentDims,
  ): StepProgress {
    const map = this.#model.config.vae.latent_preview;
    return {
      index,
      steps: plan.rows.length,
      timestep: plan.timesteps[index],
      preview: () => map && denoised.map((latent) => previewLatent(map, latent, width, height)),
    };
  }
}

/** What the decoder holds at once of an image. */
function tileSize(
  sampleSize: number | undefined,
  { width, height }: Pick<RgbaImage, "width" | "height">,
): Pick<RgbaImage, "width" | "height"> {
  const { encode: { tile } } = vaeTiling(sampleSize);
  return { width: Math.min(width, tile), height: Math.min(height, tile) };
}

function withoutMask(model: string): AppError {
  return new AppError(
    "invalid_request",
    `Cannot generate: mask is left out, and ${model} is an inpainting model, which reads one; give image ` +
      "and mask",
    { field: "mask" },
  );
}

/** @throws AppError `invalid_request` for a request that cannot share the batch. */
function checkBatch(
  request: GenerationRequest,
  batchedWith: readonly GenerationRequest[],
): readonly GenerationRequest[] {
  if (batchedWith.every((other) => canBatchWith(request, other))) return batchedWith;
  throw new AppError(
    "invalid_request",
    "Cannot generate together: size, steps, guidance scale or scheduler differ",
  );
}

/** One for each image of a request. */
function seedsOf({ seed, batch }: GenerationRequest): bigint[] {
  return Array.from({ length: batch }, (_, k) => seed + BigInt(k));
}

/** SDXL's sizes: original, crop from the top left, target. */
function timeIdsOf({ height, width }: GenerationRequest): number[] {
  return [height, width, 0, 0, height, width];
}

function latentDimsOf(model: Model, { height, width }: GenerationRequest): LatentDims {
  return [model.config.vae.latent_channels, height / LATENT_SCALE, width / LATENT_SCALE];
}
