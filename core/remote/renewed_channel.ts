import { AppError } from "../error.ts";
import type { EngineChannel } from "./remote_engine.ts";

type Channel = EngineChannel & AsyncDisposable;

/** The channel in use. One that failed is replaced by a fresh one when it is next asked for. */
export class RenewedChannel<T extends Channel> implements AsyncDisposable {
  readonly #start: () => Promise<T>;
  #current: Promise<T>;
  #closed = false;

  constructor(first: T, start: () => Promise<T>) {
    this.#start = start;
    this.#current = Promise.resolve(first);
  }

  /** The channel that is alive, or a fresh one. */
  get(): Promise<T> {
    return this.#current = this.#renewed(this.#current);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const channel = await this.#current.catch(() => undefined);
    await channel?.[Symbol.asyncDispose]();
  }

  async #renewed(previous: Promise<T>): Promise<T> {
    const channel = await previous.catch(() => undefined);
    if (this.#closed) throw new AppError("host_failed", "Cannot compute: the host was closed");
    if (channel?.alive) return channel;
    await channel?.[Symbol.asyncDispose]();
    return await this.#start();
  }
}
