import { AppError, type ErrorCode, reason } from "../../core/error.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import { decodeRequest } from "../../core/request/mod.ts";
import type { Log } from "../telemetry/mod.ts";

/** The least that shows whether an engine computes. */
const SMALL = { prompt: "", width: 64, height: 64, steps: 1, guidanceScale: 1, seed: 0 };

const WHITE = { width: 64, height: 64, data: new Uint8ClampedArray(4 * 64 * 64).fill(255) };
/** Of no file in particular. */
const NAMED = "0".repeat(64);

/** What no other request would cure: the host or its device is gone. */
const LOST: readonly ErrorCode[] = ["device_lost", "host_failed", "host_unavailable"];

/** Milliseconds from one try of an engine that is lost to the next. */
const EVERY_MS = 10_000;

/**
 * Makes the smallest image: shaders are compiled and arenas grown before a request waits for them.
 */
export async function warmUp(engine: ImageEngine): Promise<void> {
  const request = (more: object) =>
    decodeRequest({ ...SMALL, ...more }, { ...engine.defaults, seed: 0n });
  try {
    await engine.generate(request({}));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid_request") throw error;
    // Inpainting models draw nothing without an image and a mask.
    await engine.generate(request({ image: NAMED, mask: NAMED }), {
      source: { image: WHITE, mask: WHITE },
    });
  }
}

/**
 * Knows whether an engine can compute, by how its last job ended; while that was badly, by trying.
 * An engine that goes, and comes back, is an event.
 */
export class EngineWatch implements AsyncDisposable {
  /** The engine that is watched, for all that use it; its `problem` is what is seen here as well. */
  readonly engine: ImageEngine;
  readonly #log: Log;
  readonly #timer: ReturnType<typeof setInterval>;
  #why: string | undefined;
  #trying: Promise<void> | undefined;

  constructor(engine: ImageEngine, log: Log, everyMs = EVERY_MS) {
    this.#log = log;
    this.engine = watched(engine, (job) => this.#note(job), () => this.#problem);
    this.#timer = setInterval(() => this.#try(), everyMs);
  }

  /** The engine itself is its owner's to free. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#trying;
  }

  get #problem(): string | undefined {
    return this.#why === undefined ? undefined : `The engine is lost: ${this.#why}.`;
  }

  #try(): void {
    if (this.#why === undefined) return;
    this.#trying ??= warmUp(this.engine).catch(() => {}).finally(() => this.#trying = undefined);
  }

  async #note<T>(job: Promise<T>): Promise<T> {
    try {
      const result = await job;
      if (this.#why !== undefined) this.#log("engine_back", {});
      this.#why = undefined;
      return result;
    } catch (error) {
      if (error instanceof AppError && LOST.includes(error.code)) this.#lost(reason(error));
      throw error;
    }
  }

  #lost(why: string): void {
    if (this.#why === undefined) this.#log("engine_lost", { why }, "error");
    this.#why = why;
  }
}

function watched(
  engine: ImageEngine,
  note: <T>(job: Promise<T>) => Promise<T>,
  problem: () => string | undefined,
): ImageEngine {
  return {
    get model() {
      return engine.model;
    },
    get compute() {
      return engine.compute;
    },
    get backend() {
      return engine.backend;
    },
    get defaults() {
      return engine.defaults;
    },
    get problem() {
      return problem() ?? engine.problem;
    },
    generate: (...of) => note(engine.generate(...of)),
    predict: (...of) => note(engine.predict(...of)),
    decode: (...of) => note(engine.decode(...of)),
    encode: (...of) => note(engine.encode(...of)),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
