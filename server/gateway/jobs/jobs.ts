import { AppError, reason } from "../../../core/error.ts";
import { RetryLater } from "../../http/mod.ts";
import type { Job, Listing } from "../store/mod.ts";
import { Broadcast, Watcher } from "./broadcast.ts";
import {
  endEvent,
  imageEvent,
  type JobEvent,
  keptEvents,
  type Place,
  type Progress,
  standOf,
} from "./job_event.ts";
import { Intake } from "./intake.ts";
import { JobFiles } from "./job_files.ts";
import type { Order } from "./maker.ts";
import type { Room } from "./room.ts";
import { Runner, type RunnerParts } from "./runner.ts";

interface JobsParts extends Omit<RunnerParts, "files" | "onProgress" | "onEnded"> {
  /** Of the files of jobs. */
  readonly folder: string;
  readonly room: Room;
  /** Called when a job has ended. */
  readonly onEnd?: (job: Job) => void;
}

/** Milliseconds from telling watchers their place to telling it again. */
const PLACES_MS = 1000;

/** Seconds after which a disk may have room again. */
const KEPT_SECONDS = 60;

/**
 * Jobs, from the moment that they are accepted to the end of their keeping. They are on disk before they
 * are accepted, and are taken up again after a restart; each ends once.
 */
export class Jobs implements AsyncDisposable {
  readonly #parts: JobsParts;
  readonly #files: JobFiles;
  readonly #intake: Intake;
  readonly #runner: Runner;
  readonly #broadcast = new Broadcast();
  readonly #places: ReturnType<typeof setInterval>;
  #stopped = false;

  private constructor(parts: JobsParts) {
    this.#parts = parts;
    this.#files = new JobFiles(parts.folder);
    const files = this.#files;
    this.#intake = new Intake({
      ...{ store: parts.store, files },
      checkRoom: (order) => this.#checkRoom(order),
    });
    this.#runner = new Runner({
      ...{ ...parts, files },
      onProgress: ({ job, n }, progress) => this.#tellProgress(job, n, progress),
      onEnded: (job, n) => this.#ended(job, n),
    });
    this.#places = setInterval(() => this.#tellPlaces(), PLACES_MS);
  }

  /** Takes up what was accepted before. */
  static async open(parts: JobsParts): Promise<Jobs> {
    const jobs = new Jobs(parts);
    await jobs.#files.removeUnknown((id) => parts.store.jobs.has(id));
    for (const job of parts.store.jobs.open()) jobs.#runner.line(job);
    jobs.#runner.dispatch();
    return jobs;
  }

  /** Milliseconds that jobs are kept after their end. */
  get keepMs(): number {
    return this.#parts.options.keepMs;
  }

  /** Images that are made now, and those that wait. */
  get counts(): { readonly running: number; readonly queued: number } {
    return this.#runner.counts;
  }

  /**
   * Accepts a job: it is on disk when this returns.
   * @returns the earlier one where the order repeats it by its `once`.
   * @throws AppError `idempotency_conflict`, `invalid_request` for inputs that are not there;
   * RetryLater `rate_limited` at a limit of the key, `queue_full`, `not_ready` where it cannot be kept.
   */
  async submit(order: Order): Promise<Job> {
    const { job, isNew } = await this.#intake.accept(order).catch((error) => this.#notKept(error));
    if (isNew) {
      this.#runner.line(job);
      this.#runner.dispatch();
    }
    return job;
  }

  /** The job of an earlier call that this one repeats. @throws AppError `idempotency_conflict`. */
  earlier(owner: string, once: Order["once"]): Job | undefined {
    return this.#intake.earlier(owner, once);
  }

  /** The files that requests name, those of the same key's jobs too. @throws AppError `invalid_request`. */
  inputsOf(order: Parameters<Intake["inputsOf"]>[0]): ReturnType<Intake["inputsOf"]> {
    return this.#intake.inputsOf(order);
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
    return this.#runner.placeOf(job);
  }

  /** Of an image that is being made. */
  progressOf(job: string, n: number): Progress | undefined {
    return this.#runner.progressOf(job, n);
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
    const cancelled = this.#parts.store.jobs.cancel(id);
    if (!cancelled) return job;
    this.#runner.remove(job);
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
    this.#runner.stop();
    this.#broadcast.endAll();
  }

  /** @returns when what runs is done. What waits is taken up by the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#runner[Symbol.asyncDispose]();
  }

  #checkRoom({ owner, requests, refinement }: Order): void {
    const { running, queued } = this.counts;
    this.#parts.room.check(owner, requests.length * (refinement ? 2 : 1));
    const { queue } = this.#parts.options;
    if (running + queued + requests.length <= queue) return;
    const message = `Cannot take the job: ${running + queued} images wait, and ${queue} may`;
    throw new RetryLater("queue_full", message, 30);
  }

  /** A full disk is the operator's to mend, and no reason to lose the caller. */
  #notKept(error: unknown): never {
    if (error instanceof AppError && error.code !== "storage_failed") throw error;
    this.#parts.log("job not kept", { error: reason(error) }, "error");
    const message = "Cannot take the job: it cannot be kept now, as this validator's log says";
    throw new RetryLater("not_ready", message, KEPT_SECONDS, { cause: error });
  }

  #ended(job: Job, n: number): void {
    this.#broadcast.send(job.id, imageEvent(job, job.images[n]), n);
    if (job.ended !== undefined) this.#end(job);
  }

  #end(job: Job): void {
    this.#broadcast.send(job.id, endEvent(job));
    this.#broadcast.end(job.id);
    if (job.state !== "done") this.#freeInputs(job.id);
    this.#parts.onEnd?.(job);
  }

  /** What was given is for what comes of it. */
  #freeInputs(job: string): void {
    this.#files.removeInputs(job).catch((error) =>
      this.#parts.log("files not removed", { job, error: reason(error) }, "warn")
    );
  }

  #tellProgress(job: string, image: number, progress: Progress): void {
    const at = this.#broadcast.standOf(job);
    this.#broadcast.progress(job, image, { type: "progress", at, image, progress });
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

function notFound(what: string): AppError {
  return new AppError("job_not_found", `Cannot find the job: there is no ${what} of this key`);
}
