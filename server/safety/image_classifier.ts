import { Worker } from "node:worker_threads";
import { join } from "node:path";
import { AppError, reason } from "../../core/error.ts";
import { Mutex } from "../../core/mutex.ts";
import { type ClassAnswer, CLASSES } from "./classifier_thread.ts";

/** Where `mobilenet_v2_mid.onnx` lies. */
const FOLDER = join(import.meta.dirname ?? ".", "../../models/nsfw");
/** Milliseconds for one file; it takes a quarter of a second. */
const MAX_MS = 30_000;

/** How much an image is of each kind; they sum to 1. */
export type ImageShares = Readonly<Record<typeof CLASSES[number], number>>;

/**
 * What an image shows, by nsfwjs's network, in a thread of its own: what answers the network must not
 * wait for it. One file at a time.
 */
export class ImageClassifier implements AsyncDisposable {
  readonly #folder: string;
  readonly #turns = new Mutex();
  #worker: Worker | undefined;
  #closed = false;

  /** @param folder of the network. */
  constructor(folder = FOLDER) {
    this.#folder = folder;
  }

  /** @throws AppError `inference_failed` saying why there is no answer. */
  async classify(file: Uint8Array<ArrayBuffer>): Promise<ImageShares> {
    const answer = await this.#turns.run(() => this.#ask(file));
    if ("problem" in answer) throw failed(answer.problem);
    const shares = CLASSES.map((name, k) => [name, answer.shares[k]]);
    return Object.fromEntries(shares) as ImageShares;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #ask(file: Uint8Array<ArrayBuffer>): Promise<ClassAnswer> {
    if (this.#closed) throw failed("it was closed");
    const worker = this.#worker ??= new Worker(new URL("./classifier_thread.ts", import.meta.url));
    const { promise, resolve, reject } = Promise.withResolvers<ClassAnswer>();
    const timer = setTimeout(() => reject(new Error("it took too long")), MAX_MS);
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("its thread ended")));
    try {
      worker.postMessage({ folder: this.#folder, file });
      return await promise;
    } catch (error) {
      await this.#end();
      throw failed(reason(error));
    } finally {
      clearTimeout(timer);
      worker.removeAllListeners();
    }
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function failed(why: string): AppError {
  return new AppError("inference_failed", `Cannot say what the image shows: ${why}`);
}
