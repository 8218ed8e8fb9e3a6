import { join } from "node:path";
import { AppError, reason } from "../../core/error.ts";
import { Mutex } from "../../core/mutex.ts";
import { AskedThread } from "../compute/mod.ts";
import { type ClassAnswer, CLASSES, type ClassOrder } from "./classifier_thread.ts";

/** Where `mobilenet_v2_mid.onnx` lies. */
const FOLDER = join(import.meta.dirname ?? ".", "../../models/nsfw");
const THREAD = new URL("./classifier_thread.ts", import.meta.url);
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
  readonly #thread = new AskedThread<ClassOrder, ClassAnswer>(THREAD, MAX_MS);

  /** @param folder of the network. */
  constructor(folder = FOLDER) {
    this.#folder = folder;
  }

  /** @throws AppError `inference_failed` saying why there is no answer. */
  async classify(file: Uint8Array<ArrayBuffer>): Promise<ImageShares> {
    const order = { folder: this.#folder, file };
    const answer = await this.#turns.run(() => this.#thread.ask(order)).catch((error) => {
      throw failed(reason(error));
    });
    if ("problem" in answer) throw failed(answer.problem);
    const shares = CLASSES.map((name, k) => [name, answer.shares[k]]);
    return Object.fromEntries(shares) as ImageShares;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

function failed(why: string): AppError {
  return new AppError("inference_failed", `Cannot say what the image shows: ${why}`);
}
