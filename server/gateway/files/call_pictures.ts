import { AppError, reason } from "../../../core/error.ts";
import { Mutex } from "../../../core/mutex.ts";
import { AskedThread } from "../../compute/mod.ts";
import type { PictureAnswer, PictureOrder } from "./picture_thread.ts";
import type { PictureWork } from "./picture_work.ts";

/** Milliseconds for one order. The largest image of all takes a tenth of it. */
const MAX_MS = 30_000;
const THREAD = new URL("./picture_thread.ts", import.meta.url);

/**
 * Work on the pictures of calls, in a thread of its own: it takes up to seconds, and what answers the network
 * must not wait for it. Each key has one picture in line, so that nobody waits for all of another's.
 */
export class CallPictures implements AsyncDisposable {
  readonly #thread = new AskedThread<PictureOrder, PictureAnswer>(
    THREAD,
    MAX_MS,
    (answer) => "code" in answer,
  );
  readonly #turns = new Mutex();
  readonly #turnsOf = new Map<string, Mutex>();

  /**
   * @param owner whose call it is.
   * @throws AppError `invalid_request` for what is no picture, or is too large; `encoding_failed` where
   * nobody can say.
   */
  async ask<Name extends keyof PictureWork>(
    owner: string,
    name: Name,
    order: Parameters<PictureWork[Name]>[0],
  ): Promise<Awaited<ReturnType<PictureWork[Name]>>> {
    const asked = { name, order } as PictureOrder;
    const own = this.#turnsOf.get(owner) ?? new Mutex();
    this.#turnsOf.set(owner, own);
    const answer = await own.run(() => this.#turns.run(() => this.#thread.ask(asked)))
      .catch((error): PictureAnswer => ({ code: "encoding_failed", message: failed(error) }));
    if ("done" in answer) return answer.done as Awaited<ReturnType<PictureWork[Name]>>;
    throw new AppError(answer.code, answer.message, { field: answer.field });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

function failed(error: unknown): string {
  return `Cannot work on the image: ${reason(error)}`;
}
