import { AppError } from "../../core/error.ts";
import { RetryLater } from "../http/mod.ts";

/** What a queue does with its tasks. */
export interface Work<T, R> {
  /** Whether two tasks can be done as one; asked of every pair. */
  readonly together: (one: T, other: T) => boolean;
  /** How much room a task takes; all that are done as one have no more than `room`. */
  readonly size: (task: T) => number;
  readonly room: number;
  /** @returns a result for each; the signals end their own tasks. */
  readonly run: (tasks: readonly Running<T>[]) => Promise<readonly R[]>;
}

/** A task that is done now. */
export interface Running<T> {
  readonly task: T;
  readonly signal: AbortSignal;
}

/** A task that a caller wants done. */
export interface Job<T> {
  readonly id: string;
  /** The caller that may cancel it. */
  readonly owner: string;
  /** Whose turn and places it takes; default: its owner's. */
  readonly caller?: string;
  /** Done only while no other waits: of a caller that sets no weights. */
  readonly spare?: boolean;
  readonly task: T;
  readonly signal?: AbortSignal;
  /** Jobs before it; 0 when it runs. */
  readonly onPosition?: (position: number) => void;
}

interface Waiting<T, R> extends Job<T> {
  readonly caller: string;
  readonly abort: AbortController;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** A first guess of a run's seconds, until one has been timed. */
const FIRST_GUESS = 5;
/** How much a new run's time counts against those before. */
const SMOOTHING = 0.3;

/**
 * One run at a time, batched with waiting jobs that can be; and no more than a limit waiting.
 * Callers take turns, each with their first come first, and no caller keeps others out: where all
 * places are taken, the newest job of the caller with most of them gives way. Spare jobs come after
 * all others, run with none of them, and give way to them first.
 */
export class JobQueue<T, R> {
  readonly #limit: number;
  readonly #work: Work<T, R>;
  readonly #clock: () => number;
  readonly #waiting: Waiting<T, R>[] = [];
  #running: readonly Waiting<T, R>[] = [];
  /** Callers whose turn was the latest. */
  #served: ReadonlySet<string> = new Set();
  #idle = resolved();
  #seconds = FIRST_GUESS;
  #closed = false;

  /** @param clock milliseconds. */
  constructor(limit: number, work: Work<T, R>, clock: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#work = work;
    this.#clock = clock;
  }

  get limit(): number {
    return this.#limit;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.length;
  }

  /** Nothing more is taken; what waits is handed back. @returns when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) job.reject(stopping());
    await this.#idle.promise;
  }

  /**
   * Does the task when its turn comes.
   * @throws RetryLater `queue_full` with the seconds until there is room, also to one that gave way to
   * another caller's; AppError `not_ready` when
   * the queue is closed; `cancelled`; or what the work throws.
   */
  run(job: Job<T>): Promise<R> {
    if (this.#closed) throw stopping();
    const { id, owner, signal, caller = owner } = job;
    if (this.#waiting.length >= this.#limit) this.#makeWay(caller, job.spare);
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    this.#waiting.push({ ...job, caller, abort: new AbortController(), resolve, reject });
    this.#takeTurns();
    signal?.addEventListener("abort", () => this.cancel(id, owner), { once: true });
    if (signal?.aborted) this.cancel(id, owner);
    // Jobs that come in the same moment may run together.
    queueMicrotask(() => this.#next());
    this.#emitPositions();
    return promise;
  }

  /** @returns whether this owner had such a job. */
  cancel(id: string, owner: string): boolean {
    const error = new AppError("cancelled", "Cannot generate: it was cancelled");
    const isIt = (job: Waiting<T, R>) => job.id === id && job.owner === owner;
    const at = this.#waiting.findIndex(isIt);
    if (at >= 0) {
      const [job] = this.#waiting.splice(at, 1);
      job.reject(error);
      this.#emitPositions();
      return true;
    }
    const running = this.#running.find((job) => isIt(job) && !job.abort.signal.aborted);
    if (!running) return false;
    running.abort.abort(error);
    // Others of its batch may still run: its owner need not wait for them.
    running.reject(error);
    return true;
  }

  #next(): void {
    if (this.#running.length > 0) return;
    const jobs = this.#take();
    if (jobs.length === 0) return this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
    this.#running = jobs;
    this.#served = new Set(jobs.map(({ caller }) => caller));
    this.#takeTurns();
    this.#emitPositions();
    const started = this.#clock();
    void this.#do(jobs).then(() => {
      const seconds = (this.#clock() - started) / 1000;
      this.#seconds += SMOOTHING * (seconds - this.#seconds);
      this.#running = [];
      this.#next();
    });
  }

  /** Sorts waiting jobs as they will run: every caller's first before any caller's second, spare ones last. */
  #takeTurns(): void {
    const turns = new Map([...this.#served].map((caller) => [caller, 1]));
    const ranked = this.#waiting.map((job) => {
      const turn = turns.get(job.caller) ?? 0;
      turns.set(job.caller, turn + 1);
      return { job, turn };
    });
    const order = ranked.toSorted((a, b) => spareness(a.job) - spareness(b.job) || a.turn - b.turn)
      .map(({ job }) => job);
    this.#waiting.splice(0, Infinity, ...order);
  }

  /**
   * @throws RetryLater `queue_full` to a caller that has no fewer places than all others, of those that a
   * job of its kind may take.
   */
  #makeWay(caller: string, spare: boolean | undefined): void {
    const last = this.#waiting.at(-1);
    if (!spare && last?.spare) return this.#giveWay(last);
    const places = new Map<string, number>();
    for (const job of this.#waiting) {
      if (!spare || job.spare) places.set(job.caller, 1 + (places.get(job.caller) ?? 0));
    }
    const [most, count] = [...places].reduce((a, b) => b[1] > a[1] ? b : a, ["", 0]);
    if (count <= 1 + (places.get(caller) ?? 0)) throw this.#full();
    this.#giveWay(this.#waiting.findLast((job) => job.caller === most));
  }

  #giveWay(job: Waiting<T, R> | undefined): void {
    if (!job) return;
    this.#waiting.splice(this.#waiting.indexOf(job), 1);
    job.reject(this.#full());
  }

  /** The first waiting job, and those that can be batched with it. */
  #take(): Waiting<T, R>[] {
    const { together, size, room } = this.#work;
    const [first] = this.#waiting;
    if (!first) return [];
    let left = room - size(first.task);
    const taken = [first];
    for (const job of this.#waiting.slice(1)) {
      if (spareness(job) !== spareness(first)) continue;
      if (size(job.task) > left || !taken.every(({ task }) => together(task, job.task))) continue;
      left -= size(job.task);
      taken.push(job);
    }
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter((job) => !taken.includes(job)));
    return taken;
  }

  /** Never throws. What fails together is done once more, each by itself. */
  async #do(jobs: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const tasks = jobs.map(({ task, abort: { signal } }) => ({ task, signal }));
      const results = await this.#work.run(tasks);
      for (const [k, job] of jobs.entries()) job.resolve(results[k]);
    } catch (error) {
      const rest = jobs.filter(({ abort: { signal } }) => !signal.aborted);
      if (jobs.length === 1) return jobs[0].reject(error);
      for (const job of rest) await this.#do([job]);
    }
  }

  #emitPositions(): void {
    for (const { onPosition } of this.#running) onPosition?.(0);
    for (const [k, { onPosition }] of this.#waiting.entries()) onPosition?.(k + 1);
  }

  #full(): RetryLater {
    return new RetryLater(
      "queue_full",
      `Cannot take the request: ${this.#waiting.length} are waiting, and there is room for no more`,
      Math.max(1, this.#seconds),
    );
  }
}

function spareness({ spare }: { readonly spare?: boolean }): number {
  return spare ? 1 : 0;
}

function resolved(): PromiseWithResolvers<void> {
  const all = Promise.withResolvers<void>();
  all.resolve();
  return all;
}

function stopping(): RetryLater {
  return new RetryLater("not_ready", "Cannot take the request: this server is stopping", 10);
}
