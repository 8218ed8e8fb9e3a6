import { AppError } from "../../../core/error.ts";

/** Runs one job at a time: a newer one ends the older one and begins when that has ended. */
export class OneAtATime {
  #current = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.cancel();
    const { signal } = this.#current = new AbortController();
    const running = this.#last.then(() => {
      signal.throwIfAborted();
      return work(signal);
    });
    this.#last = running.catch(() => {});
    return running;
  }

  cancel(): void {
    this.#current.abort(new AppError("cancelled", "Cannot go on: it was cancelled"));
  }

  /** Cancels what runs, and waits for its end. */
  async end(): Promise<void> {
    this.cancel();
    await this.#last;
  }
}
