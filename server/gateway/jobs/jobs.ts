import { randomBytes } from "node:crypto";
import { AppError, reason } from "../../../core/error.ts";
import { type GenerationRequest, inputsOf } from "../../../core/request/mod.ts";
import { RetryLater } from "../../http/mod.ts";
import { sha256Of } from "../../storage/mod.ts";
import type { Log } from "../../telemetry/mod.ts";
import type { GatewayStore, Job, Listing, Once } from "../store/mod.ts";
import { Broadcast, Watcher } from "./broadcast.ts";
import { failureOf, isOurs } from "./failure.ts";
import { FairQueue, type Task } from "./fair_queue.ts";
import {
  endEvent,
  imageEvent,
  type JobEvent,
  keptEvents,
  type Place,
  type Progress,
  standOf,
} from "./job_event.ts";
import { JobFiles } from "./job_files.ts";
import type { JobsOptions, Make, Order } from "./maker.ts";
import { Pace } from "./pace.ts";
import { checkRoom } from "./room.ts";

interface JobsParts {
  readonly store: GatewayStore;
  /** Of the files of jobs. */
  readonly folder: string;
  readonly make: Make;
  /** Of one image, in any unit. */
  readonly work: (request: GenerationRequest) => number;
  readonly options: JobsOptions;
  readonly log: Log;
  /** Called when a job has ended. */
  readonly onEnd?: (job: Job) => void;
}

interface Running {
  readonly task: Task;
  readonly stop: AbortController;
  readonly begun: number;
  progress: Progress | undefined;
}

/** Milliseconds after which what could not be written is tried again. */
const WRITE_AGAIN_MS = 10_000;

/** Milliseconds from telling watchers their place to telling it again. */
const PLACES_MS = 1000;

/**
 * Jobs, from the moment that they are accepted to the end of their keeping. They are on disk before they
 * are accepted, and are taken up again after a restart; each ends once.
 */
export class Jobs implements AsyncDisposable {
  readonly #parts: JobsParts;
  readonly #files: JobFiles;
  readonly #queue = new FairQueue();
  readonly #running = new Map<string, Running>();
  readonly #settled = new Set<Promise<void>>();
  readonly #again = new Map<ReturnType<typeof setTimeout>, Task>();
  readonly #broadcast = new Broadcast();
  readonly #pace = new Pace();
  readonly #places: ReturnType<typeof setInterval>;
  #stopped = false;

  private constructor(parts: JobsParts) {
    this.#parts = parts;
    this.#files = new JobFiles(parts.folder);
    this.#places = setInterval(() => this.#tellPlaces(), PLACES_MS);
  }

  /** Takes up what was accepted before. */
  static async open(parts: JobsParts): Promise<Jobs> {
    const jobs = new Jobs(parts);
    await jobs.#files.removeUnknown((id) => parts.store.jobs.has(id));
    for (const job of parts.store.jobs.open()) jobs.#line(job);
    jobs.#dispatch();
    return jobs;
  }

  /** Milliseconds that jobs are kept after their end. */
  get keepMs(): number {
    return this.#parts.options.keepMs;
  }

  /** Images that are made now, and those that wait. */
  get counts(): { readonly running: number; readonly queued: number } {
    return { running: this.#running.size, queued: this.#queue.size + this.#again.size };
  }

  /**
   * Accepts a job: it is on disk when this returns.
   * @returns the earlier one where the order repeats it by its `once`.
   * @throws AppError `idempotency_conflict`, `invalid_request` for inputs that are not there;
   * RetryLater `rate_limited` at a limit of the key, `queue_full`.
   */
  async submit(order: Order): Promise<Job> {
    const { owner, once } = order;
    const before = this.#earlier(owner.id, once);
    if (before) return before;
    this.#checkRoom(order);
    const id = `job_${randomBytes(16).toString("hex")}`;
    const inputs = await this.#inputsOf(order);
    const job = await this.#written(id, order, inputs);
    if (job.id !== id) return job;
    this.#line(job);
    this.#dispatch();
    return job;
  }

  /** On disk with its files, or no file of it. @returns the earlier one that came while they were written. */
  async #written(
    id: string,
    order: Order,
    inputs: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  ): Promise<Job> {
    const { owner, once, requests, format, webhook } = order;
    try {
      await this.#files.writeInputs(id, inputs);
      const meanwhile = this.#earlier(owner.id, once);
      if (meanwhile) {
        await this.#files.remove(id);
        return meanwhile;
      }
      this.#checkRoom(order);
      return this.#parts.store.jobs.add({
        ...{ id, owner: owner.id, format, requests, webhook, once, inputs: [...inputs.keys()] },
      });
    } catch (error) {
      await this.#files.remove(id).catch(() => {});
      throw error;
    }
  }

  /** @throws AppError `job_not_found`, also for another key's. */
  get(owner: string, id: string): Job {
    const job = this.#parts.store.jobs.get(id);
    if (job?.owner === owner) return job;
    throw notFound(id);
  }

  /** A job by its id alone, for what was signed. @throws AppError `job_not_found`. */
  signed(id: string): Job {
    const job = this.#parts.store.jobs.get(id);
    if (job) return job;
    throw notFound(id);
  }

  /** The newest first. */
  list(owner: string, listing: Listing): Job[] {
    return this.#parts.store.jobs.list(owner, listing);
  }

  /** Where a job stands in line; undefined once it has begun. */
  placeOf(job: Job): Place | undefined {
    if (job.state !== "queued") return undefined;
    const tasks = this.#queue.order();
    const position = tasks.findIndex((task) => task.job === job.id);
    if (position < 0) return undefined;
    const { parallel } = this.#parts.options;
    let work = 0;
    for (const task of tasks.slice(0, position)) work += task.work;
    for (const { task, progress } of this.#running.values()) {
      work += task.work * (progress ? 1 - progress.step / progress.steps : 1);
    }
    const free = this.#running.size < parallel && position === 0;
    return { position, waitMs: free ? 0 : this.#pace.msFor(work, parallel) };
  }

  /** Of an image that is being made. */
  progressOf(job: string, n: number): Progress | undefined {
    return this.#running.get(keyOf({ job, n }))?.progress;
  }

  /**
   * Events from where the watcher stood: what was kept since then, and what comes.
   * @param at of the newest event that it saw; 0 for all.
   * @throws AppError `job_not_found`.
   */
  watch(owner: string, id: string, at = 0): Watcher {
    const job = this.get(owner, id);
    const kept = keptEvents(job).filter((event) => event.at > at);
    if (job.ended !== undefined || this.#stopped) return Watcher.of(kept);
    const place = this.placeOf(job);
    const first = place ? [...kept, queuedEvent(job, place)] : kept;
    return this.#broadcast.watch(id, first, standOf(job));
  }

  /**
   * @returns the job when it has ended; as it is when the signal aborts, or this process ends.
   * @throws AppError `job_not_found`.
   */
  async wait(owner: string, id: string, signal?: AbortSignal): Promise<Job> {
    using watcher = this.watch(owner, id);
    for (;;) {
      const event = await watcher.next(signal);
      if (!event) return this.get(owner, id);
      if (event.type === "end") return event.job;
    }
  }

  /** Ends what has not ended; a job that has stays as it is. @throws AppError `job_not_found`. */
  cancel(owner: string, id: string): Job {
    const job = this.get(owner, id);
    this.#queue.remove(owner, id);
    const cancelled = this.#parts.store.jobs.cancel(id);
    if (!cancelled) return job;
    for (const { task, stop } of this.#running.values()) {
      if (task.job === id) stop.abort();
    }
    this.#end(cancelled);
    return cancelled;
  }

  /** An image's file. @throws AppError `job_not_found` for one that is not there. */
  async image(job: Job, n: number): Promise<Uint8Array<ArrayBuffer>> {
    if (job.images[n]?.state !== "done") throw notFound(`${job.id}, image ${n}`);
    return await this.#files.readImage(job, n);
  }

  /** Forgets what is no longer kept. */
  async sweep(): Promise<void> {
    const { store, options: { keepMs } } = this.#parts;
    for (const id of store.jobs.sweep(store.now() - keepMs)) await this.#files.remove(id);
  }

  /** Begins nothing more, and ends what watches; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#places);
    for (const timer of this.#again.keys()) clearTimeout(timer);
    this.#broadcast.endAll();
  }

  /** @returns when what runs is done. What waits is taken up by the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await Promise.all(this.#settled);
  }

  #earlier(owner: string, once: Once | undefined): Job | undefined {
    const found = once && this.#parts.store.jobs.ofOnce(owner, once.key);
    if (!found || found.asked === once.asked) return found?.job;
    throw new AppError(
      "idempotency_conflict",
      `Cannot take the job: its Idempotency-Key was used for another one, ${found.job.id}`,
    );
  }

  #checkRoom({ owner, requests }: Order): void {
    const { running, queued } = this.counts;
    checkRoom(owner, requests.length, this.#parts.store);
    const { queue } = this.#parts.options;
    if (running + queued + requests.length <= queue) return;
    const message = `Cannot take the job: ${running + queued} images wait, and ${queue} may`;
    throw new RetryLater("queue_full", message, 30);
  }

  /** The files that an order names: its own, and those of the same key's jobs before. */
  async #inputsOf({ owner, requests, inputs = new Map() }: Order) {
    const needed = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const hash of new Set(requests.flatMap(filesOf))) {
      needed.set(hash, inputs.get(hash) ?? await this.#known(owner.id, hash));
    }
    return needed;
  }

  async #known(owner: string, hash: string): Promise<Uint8Array<ArrayBuffer>> {
    const place = this.#parts.store.jobs.placeOf(owner, hash);
    const job = place && this.#parts.store.jobs.get(place.job);
    if (job && place.n === undefined) return await this.#files.readInput(job.id, hash);
    if (job && place?.n !== undefined) return await this.#files.readImage(job, place.n);
    throw new AppError(
      "invalid_request",
      `Cannot take the job: it names the file ${hash.slice(0, 12)}..., which it does not bring, ` +
        "and which no job of this key has; send it along",
      { field: "inputs" },
    );
  }

  #line(job: Job): void {
    for (const { n, seq, request } of job.images) {
      if (seq !== undefined) continue;
      this.#queue.add({ job: job.id, n, owner: job.owner, work: this.#parts.work(request) });
    }
  }

  #dispatch(): void {
    while (!this.#stopped && this.#running.size < this.#parts.options.parallel) {
      const task = this.#queue.take();
      if (!task) return;
      const settled = this.#run(task).finally(() => {
        this.#running.delete(keyOf(task));
        this.#settled.delete(settled);
        this.#dispatch();
      });
      this.#settled.add(settled);
    }
  }

  async #run(task: Task): Promise<void> {
    const { store, make } = this.#parts;
    const running = { task, stop: new AbortController(), begun: store.now(), progress: undefined };
    this.#running.set(keyOf(task), running);
    try {
      store.jobs.begin(task.job, task.n);
      const job = store.jobs.get(task.job);
      if (!job || job.ended !== undefined || job.images[task.n].seq !== undefined) return;
      const { request } = job.images[task.n];
      const { image, record } = await make(request, job.format, {
        ...{ owner: task.owner, inputs: await this.#filesFor(job, request) },
        signal: running.stop.signal,
        onStep: (progress) => this.#progress(running, progress),
      });
      await this.#files.writeImage(job, task.n, image);
      this.#pace.learn(task.work, store.now() - running.begun);
      const file = { sha256: sha256Of(image), bytes: image.length };
      this.#ended(store.jobs.made(task.job, task.n, record, file), task.n);
    } catch (error) {
      this.#endBadly(running, error);
    }
  }

  #endBadly(running: Running, error: unknown): void {
    try {
      this.#failed(running, error);
    } catch (cause) {
      // Nothing could be written down: the job is as it was, and is tried again.
      this.#parts.log("job not written", { ...running.task, error: reason(cause) }, "error");
      this.#later(running.task, WRITE_AGAIN_MS);
    }
  }

  async #filesFor(job: Job, request: GenerationRequest) {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const hash of filesOf(request)) {
      files.set(hash, await this.#files.readInput(job.id, hash));
    }
    return files;
  }

  #progress(running: Running, progress: Progress): void {
    const { task: { job, n } } = running;
    running.progress = progress;
    if (!this.#running.has(keyOf({ job, n })) || this.#stopped) return;
    const at = this.#broadcast.standOf(job);
    this.#broadcast.progress(job, n, { type: "progress", at, image: n, progress });
  }

  #failed({ task, stop, begun }: Running, error: unknown): void {
    const { store, options: { patienceMs }, log } = this.#parts;
    if (stop.signal.aborted) return;
    const job = store.jobs.get(task.job);
    if (!job || job.ended !== undefined) return;
    if (error instanceof RetryLater && begun - job.created < patienceMs) {
      return this.#later(task, 1000 * error.seconds);
    }
    if (isOurs(error)) log("image not made", { ...task, error: reason(error) }, "error");
    this.#ended(store.jobs.failed(task.job, task.n, failureOf(error)), task.n);
  }

  #later(task: Task, ms: number): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#again.delete(timer);
      this.#queue.add(task, { first: true });
      this.#dispatch();
    }, ms);
    this.#again.set(timer, task);
  }

  #ended(job: Job | undefined, n: number): void {
    if (!job) return;
    this.#broadcast.send(job.id, imageEvent(job, job.images[n]), n);
    if (job.ended !== undefined) this.#end(job);
  }

  #end(job: Job): void {
    this.#broadcast.send(job.id, endEvent(job));
    this.#broadcast.end(job.id);
    this.#parts.onEnd?.(job);
  }

  #tellPlaces(): void {
    for (const id of this.#broadcast.watched) {
      const job = this.#parts.store.jobs.get(id);
      const place = job && this.placeOf(job);
      if (place) this.#broadcast.send(id, queuedEvent(job, place));
    }
  }
}

function queuedEvent(job: Job, place: Place): JobEvent {
  return { type: "queued", at: standOf(job), place };
}

function filesOf(request: GenerationRequest): string[] {
  return inputsOf(request).map(({ sha256 }) => sha256);
}

function keyOf({ job, n }: Pick<Task, "job" | "n">): string {
  return `${job} ${n}`;
}

function notFound(what: string): AppError {
  return new AppError("job_not_found", `Cannot find the job: there is no ${what} of this key`);
}
