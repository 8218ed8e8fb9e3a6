import { AppError, reason } from "../../core/error.ts";
import type { ImageCodec, ImageFormat, RgbaImage } from "../../core/image/mod.ts";
import { Mutex } from "../../core/mutex.ts";
import { AskedThread, ThreadEnded } from "./asked_thread.ts";
import type { CodecAnswer, CodecOrder } from "./codec_thread.ts";

/** Milliseconds for one file. The largest image of all takes a tenth of it. */
const MAX_MS = 60_000;
/** Threads that a file may end before it is the file's fault. */
const ATTEMPTS = 2;

/**
 * The image codec in a thread of its own: a large file takes a second, and what answers the network
 * must not wait for it. One file at a time, so that one which takes longer than {@link MAX_MS}, or
 * ends the thread twice, fails alone: files come from peers, and no peer is to be blamed for
 * another's.
 */
export class ThreadCodec implements ImageCodec, AsyncDisposable {
  readonly #thread: AskedThread<CodecOrder, CodecAnswer>;
  readonly #turns = new Mutex();

  /** @param module of the thread, which takes {@link CodecOrder}s. */
  constructor(module = new URL("./codec_thread.ts", import.meta.url)) {
    this.#thread = new AskedThread(module, MAX_MS, (answer) => "code" in answer);
  }

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

  async decodeInput(file: Uint8Array<ArrayBuffer>, what: string): Promise<RgbaImage> {
    const answer = await this.#call({ input: file, what });
    return "image" in answer ? answer.image : refuse(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }

  async #call(order: CodecOrder): Promise<CodecAnswer> {
    return await this.#turns.run(async () => {
      for (let attempt = 1;; attempt++) {
        try {
          return await this.#thread.ask(order);
        } catch (error) {
          const again = error instanceof ThreadEnded && attempt < ATTEMPTS && !this.#thread.closed;
          if (!again) throw failed(reason(error));
        }
      }
    });
  }
}

function failed(why: string): AppError {
  return new AppError("encoding_failed", `Cannot encode or decode an image: ${why}`);
}

function refuse(answer: CodecAnswer): never {
  const { code, message } = "code" in answer
    ? answer
    : { code: "encoding_failed" as const, message: "Cannot encode or decode an image" };
  throw new AppError(code, message);
}
