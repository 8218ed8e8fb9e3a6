import { AppError, type ErrorCode, throwIfAborted } from "../error.ts";
import type { GenerateOptions, Generation, ImageEngine } from "./engine.ts";
import type { StepState } from "../denoise/mod.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";
import type { NetworkImages } from "./source.ts";
import { notifyOnce } from "./notify_once.ts";

/** What a fresh device may cure: a lost one, and one that ran out of memory. */
const CURABLE: readonly ErrorCode[] = [
  "device_lost",
  "gpu_failed",
  "inference_failed",
  "host_failed",
];

/**
 * An engine that outlives its device. A job that fails with the device is run once more, from its
 * start, on a fresh one; its caller sees a delay, or one error, and gets each leaf and step once
 * all the same.
 */
export class RecoveringEngine implements ImageEngine {
  readonly #open: () => Promise<ImageEngine>;
  readonly #curable: readonly ErrorCode[];
  #engine: ImageEngine;
  /** The replacement being opened, shared by the jobs that failed with the same engine. */
  #reopening: Promise<void> | undefined;

  private constructor(
    open: () => Promise<ImageEngine>,
    curable: readonly ErrorCode[],
    engine: ImageEngine,
  ) {
    this.#open = open;
    this.#curable = curable;
    this.#engine = engine;
  }

  /**
   * @param open makes an engine on a fresh device.
   * @param curable codes of failures that a fresh device may cure.
   */
  static async start(
    open: () => Promise<ImageEngine>,
    curable: readonly ErrorCode[] = CURABLE,
  ): Promise<RecoveringEngine> {
    return new RecoveringEngine(open, curable, await open());
  }

  get model(): string {
    return this.#engine.model;
  }

  get compute(): string {
    return this.#engine.compute;
  }

  get backend(): ImageEngine["backend"] {
    return this.#engine.backend;
  }

  get defaults(): ImageEngine["defaults"] {
    return this.#engine.defaults;
  }

  get problem(): string | undefined {
    return this.#reopening
      ? "The engine's device was lost, and another is being opened."
      : undefined;
  }

  async generate(request: GenerationRequest, options: GenerateOptions = {}): Promise<Generation> {
    const optionsOfRun = notifyOnce(options);
    return await this.#attempt(
      (engine) => engine.generate(request, optionsOfRun()),
      options.signal,
    );
  }

  predict(
    request: GenerationRequest,
    states: readonly StepState[],
    given?: NetworkImages,
  ): Promise<readonly Uint16Array<ArrayBuffer>[]> {
    return this.#attempt((engine) => engine.predict(request, states, given));
  }

  decode(request: GenerationRequest, bits: Uint16Array): Promise<RgbaImage> {
    return this.#attempt((engine) => engine.decode(request, bits));
  }

  encode(
    request: GenerationRequest,
    image: RgbaImage,
    mask?: RgbaImage,
  ): Promise<Uint16Array<ArrayBuffer>> {
    return this.#attempt((engine) => engine.encode(request, image, mask));
  }

  async #attempt<T>(
    job: (engine: ImageEngine) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    await this.#reopening;
    const engine = this.#engine;
    try {
      return await job(engine);
    } catch (error) {
      if (!(error instanceof AppError) || !this.#curable.includes(error.code)) throw error;
      throwIfAborted(signal, "generate");
      await this.#replace(engine);
      return await job(this.#engine);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reopening;
    await this.#engine[Symbol.asyncDispose]();
  }

  async #replace(broken: ImageEngine): Promise<void> {
    if (this.#engine !== broken) return;
    this.#reopening ??= this.#reopen(broken).finally(() => this.#reopening = undefined);
    await this.#reopening;
  }

  async #reopen(broken: ImageEngine): Promise<void> {
    try {
      await broken[Symbol.asyncDispose]();
    } catch {
      // A lost device has nothing left to free.
    }
    this.#engine = await this.#open();
  }
}
