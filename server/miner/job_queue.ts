import { AppError } from "../../core/error.ts";
import { RetryLater } from "../http/mod.ts";

/** What a job's owner hears while it waits. */
export interface JobEvents {
  /** Jobs before it; 0 when it runs. */
  readonly onPosition?: (position: number) => void;
}

interface Waiting {
  readonly id: string;
  readonly owner: string;
  readonly events: JobEvents;
  readonly start: () => Promise<void>;
  readonly refuse: (error: AppError) => void;
  readonly abort: AbortController;
}

/** A first guess of a job's seconds, until one has been timed. */
const FIRST_GUESS = 5;
/** How much a new job's time counts against those before. */
const SMOOTHING = 0.3;

/** One job at a time, the first come first, and no more than a limit waiting. */
export class JobQueue {
  readonly #limit: number;
  readonly #clock: () => number;
  readonly #waiting: Waiting[] = [];
  #running: Waiting | undefined;
  #seconds = FIRST_GUESS;
  #closed = false;

  /** @param clock milliseconds. */
  constructor(limit: number, clock: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#clock = clock;
  }

  get limit(): number {
    return this.#limit;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running ? 1 : 0;
  }

  /** Nothing more is taken; what waits is handed back. @returns when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) job.refuse(stopping());
    await this.#idle.promise;
  }

  /**
   * Runs the work when its turn comes.
   * @throws RetryLater `queue_full` with the seconds until there is room; AppError `not_ready` when
   * the queue is closed; `cancelled`; or what the work throws.
   */
  run<T>(
    { id, owner, signal, ...events }: JobEvents & {
      readonly id: string;
      readonly owner: string;
      readonly signal?: AbortSignal;
    },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw stopping();
    if (this.#waiting.length >= this.#limit) throw this.#full();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const abort = new AbortController();
    this.#waiting.push({
      id,
      owner,
      events,
      abort,
      refuse: reject,
      start: () => work(abort.signal).then(resolve, reject),
    });
    signal?.addEventListener("abort", () => this.cancel(id, owner), { once: true });
    if (signal?.aborted) this.cancel(id, owner);
    this.#next();
    this.#tellPositions();
    return promise;
  }

  /** @returns whether this owner had such a job. */
  cancel(id: string, owner: string): boolean {
    const error = new AppError("cancelled", "Cannot generate: it was cancelled");
    const at = this.#waiting.findIndex((job) => job.id === id && job.owner === owner);
    if (at >= 0) {
      const [job] = this.#waiting.splice(at, 1);
      job.refuse(error);
      this.#tellPositions();
      return true;
    }
    if (this.#running?.id !== id || this.#running.owner !== owner) return false;
    this.#running.abort.abort(error);
    return true;
  }

  #idle = resolved();

  #next(): void {
    if (this.#running) return;
    const job = this.#waiting.shift();
    if (!job) return this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
    this.#running = job;
    const started = this.#clock();
    void job.start().then(() => {
      const seconds = (this.#clock() - started) / 1000;
      this.#seconds += SMOOTHING * (seconds - this.#seconds);
      this.#running = undefined;
      this.#next();
      this.#tellPositions();
    });
  }

  #tellPositions(): void {
    this.#running?.events.onPosition?.(0);
    for (const [k, { events }] of this.#waiting.entries()) events.onPosition?.(k + 1);
  }

  #full(): RetryLater {
    return new RetryLater(
      "queue_full",
      `Cannot take the request: ${this.#waiting.length} are waiting, which is all there is room for`,
      Math.max(1, this.#seconds),
    );
  }
}

function resolved(): PromiseWithResolvers<void> {
  const all = Promise.withResolvers<void>();
  all.resolve();
  return all;
}

function stopping(): RetryLater {
  return new RetryLater("not_ready", "Cannot take the request: this server is stopping", 10);
}
