import { throwIfAborted } from "../error.ts";
import {
  loadModel,
  type LoadOptions,
  type Model,
  type ModelFiles,
  type Runtime,
} from "../inference/mod.ts";
import {
  type Plan,
  planFromConfig,
  schedulerConfigFromName,
  schedulerNames,
} from "../schedule/mod.ts";
import { PromptConditioner } from "./conditioning.ts";
import { defaultsOf } from "./defaults.ts";
import type { GenerateOptions, Generation, ImageEngine, StepProgress } from "./engine.ts";
import { type RgbaImage, toRgba } from "./image.ts";
import { denoise, type LatentDims } from "./loop.ts";
import { previewLatent } from "./preview.ts";
import type { GenerationRequest, RequestDefaults } from "./request.ts";

/** Pixels for each position of a latent. */
const LATENT_SCALE = 8;

/** A loaded model with its prompt encoder, in this process. Owns the model. */
export class Pipeline implements ImageEngine {
  readonly #model: Model;
  readonly #conditioner: PromptConditioner;

  private constructor(model: Model, conditioner: PromptConditioner) {
    this.#model = model;
    this.#conditioner = conditioner;
  }

  /** @throws AppError `model_invalid` naming the file that is missing, damaged or unfit. */
  static async open(
    files: ModelFiles,
    runtime: Runtime,
    options: LoadOptions = {},
  ): Promise<Pipeline> {
    const model = await loadModel(files, runtime, options);
    try {
      return new Pipeline(model, await PromptConditioner.load(model));
    } catch (error) {
      await model[Symbol.asyncDispose]();
      throw error;
    }
  }

  get model(): string {
    return this.#model.files.name;
  }

  get compute(): string {
    return this.#model.runtime.name;
  }

  get defaults(): Omit<RequestDefaults, "seed"> {
    return defaultsOf(this.#model);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#model[Symbol.asyncDispose]();
  }

  /**
   * As {@link ImageEngine.generate}. On a runtime that takes one image a call, the same request
   * gives the same bits, and an image is the same alone and in a batch.
   */
  async generate(
    request: GenerationRequest,
    { onStep, onLeaf, signal, clock = () => performance.now() }: GenerateOptions = {},
  ): Promise<Generation> {
    throwIfAborted(signal, "generate");
    const { plan, notices } = planFor(this.#model.config.scheduler, request);
    const latentDims = latentDimsOf(this.#model, request);
    const started = clock();
    const conditioning = await this.#conditioner.condition(request);
    const conditioned = clock();
    const { latents, networkMs, solverMs } = await denoise(this.#model, {
      plan,
      dims: latentDims,
      seeds: Array.from({ length: request.batch }, (_, k) => request.seed + BigInt(k)),
      conditioning,
      guidanceScale: request.guidanceScale,
      timeIds: [request.height, request.width, 0, 0, request.height, request.width],
    }, {
      signal,
      clock,
      onLeaf,
      onStep: (index, denoised) => onStep?.(this.#progress(plan, index, denoised, latentDims)),
    });
    const denoisedAt = clock();
    const images = await this.#decode(latents, latentDims, signal);
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
      notices: [...notices, ...conditioning.notices],
    };
  }

  async #decode(
    latents: readonly Float32Array[],
    dims: LatentDims,
    signal: AbortSignal | undefined,
  ): Promise<RgbaImage[]> {
    const [, height, width] = dims;
    const images: RgbaImage[] = [];
    for (const latent of latents) {
      throwIfAborted(signal, "generate");
      const planes = await this.#model.vaeDecoder.decode(latent, dims);
      images.push(toRgba(planes, LATENT_SCALE * width, LATENT_SCALE * height));
    }
    return images;
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

/** The subnet's scheduler, for models whose own is not a plan, such as SD 1.5's PNDM. */
const SUBSTITUTE = "sde-dpmsolver++";

/**
 * The plan of a request, by its own scheduler or else the model's, and what the user should know.
 * @param own the model's `scheduler_config.json`.
 */
export function planFor(
  own: Readonly<Record<string, unknown>>,
  { scheduler, steps }: Pick<GenerationRequest, "scheduler" | "steps">,
): { readonly plan: Plan; readonly notices: readonly string[] } {
  if (scheduler === undefined && !schedulerNames.includes(String(own._class_name))) {
    const plan = planFromConfig(schedulerConfigFromName(SUBSTITUTE, own), steps);
    const notice = `The model's own scheduler, ${own._class_name}, cannot be checked step by ` +
      `step: ${SUBSTITUTE} was used`;
    return { plan, notices: [notice] };
  }
  return { plan: planFromConfig(schedulerConfig(own, scheduler), steps), notices: [] };
}

/** A name or an object changes the solver, and keeps what the model was trained with. */
function schedulerConfig(
  own: Readonly<Record<string, unknown>>,
  scheduler: GenerationRequest["scheduler"],
): unknown {
  if (typeof scheduler === "string") return schedulerConfigFromName(scheduler, own);
  return { ...own, ...scheduler };
}

function latentDimsOf(model: Model, { height, width }: GenerationRequest): LatentDims {
  return [model.config.unet.in_channels, height / LATENT_SCALE, width / LATENT_SCALE];
}
