import { Worker } from "node:worker_threads";
import { AppError, reason } from "../../core/error.ts";
import type { ImageCodec, ImageFormat, RgbaImage } from "../../core/image/mod.ts";
import type { CodecAnswer, CodecOrder } from "./codec_thread.ts";

type Unnumbered<T> = T extends unknown ? Omit<T, "job"> : never;

/** Milliseconds for one file. The largest image of all takes a tenth of it. */
const MAX_MS = 60_000;

/**
 * The image codec in a thread of its own: a large file takes a second, and what answers the network
 * must not wait for it. A thread that ends, or takes longer than {@link MAX_MS} for a file, fails
 * what it was given, and the next file gets a fresh one.
 */
export class ThreadCodec implements ImageCodec, AsyncDisposable {
  readonly #jobs = new Map<number, PromiseWithResolvers<CodecAnswer>>();
  #worker: Worker | undefined;
  #last = 0;

  async encode(
    image: RgbaImage,
    format: ImageFormat,
    quality?: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#call({ format, encode: image, quality });
    return "file" in answer ? answer.file : refuse(answer);
  }

  async decode(
    file: Uint8Array<ArrayBuffer>,
    format: ImageFormat,
    { width, height }: Pick<RgbaImage, "width" | "height">,
  ): Promise<RgbaImage> {
    const answer = await this.#call({ format, decode: file, size: { width, height } });
    return "image" in answer ? answer.image : refuse(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("it was closed");
  }

  async #call(order: Unnumbered<CodecOrder>): Promise<CodecAnswer> {
    const job = ++this.#last;
    const waiting = Promise.withResolvers<CodecAnswer>();
    this.#jobs.set(job, waiting);
    const timer = setTimeout(
      () => this.#end(`a file took more than ${MAX_MS / 1000} s`),
      MAX_MS,
    );
    try {
      this.#thread().postMessage({ ...order, job });
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#jobs.delete(job);
    }
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = this.#worker = new Worker(new URL("./codec_thread.ts", import.meta.url));
    worker.on("message", (answer: CodecAnswer) => this.#jobs.get(answer.job)?.resolve(answer));
    worker.on("error", (error) => this.#end(reason(error), worker));
    worker.on("exit", (code) => this.#end(`its thread ended with code ${code}`, worker));
    return worker;
  }

  /** Fails what waits; the next file gets a fresh thread. */
  async #end(why: string, worker = this.#worker): Promise<void> {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    const error = new AppError("encoding_failed", `Cannot encode or decode an image: ${why}`);
    for (const { reject } of this.#jobs.values()) reject(error);
    await worker?.terminate();
  }
}

function refuse(answer: CodecAnswer): never {
  const { code, message } = "code" in answer
    ? answer
    : { code: "encoding_failed" as const, message: "Cannot encode or decode an image" };
  throw new AppError(code, message);
}
