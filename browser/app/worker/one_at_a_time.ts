import { AppError } from "../../../core/error.ts";

/** Runs one job at a time: a newer one ends the older one and begins when that has ended. */
export class OneAtATime {
  /** Of the job that has not ended: what a finished one leaves, such as an engine, is not cancelled. */
  #current: AbortController | undefined;
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.cancel();
    const current = this.#current = new AbortController();
    const { signal } = current;
    const running = this.#last.then(() => {
      signal.throwIfAborted();
      return unlessAborted(work(signal), signal);
    }).finally(() => {
      if (this.#current === current) this.#current = undefined;
    });
    this.#last = running.catch(() => {});
    return running;
  }

  cancel(): void {
    this.#current?.abort(new AppError("cancelled", "Cannot go on: it was cancelled"));
  }

  /** Cancels what runs, and waits for its end. */
  async end(): Promise<void> {
    this.cancel();
    await this.#last;
  }
}

/** A miner or a GPU may take any time: a cancelled job is abandoned. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const result = await Promise.race([work, aborted.promise]);
    signal.throwIfAborted();
    return result;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
