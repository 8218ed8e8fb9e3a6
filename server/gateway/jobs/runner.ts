import { reason } from "../../../core/error.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import { RetryLater } from "../../http/mod.ts";
import { sha256Of } from "../../storage/mod.ts";
import type { Log } from "../../telemetry/mod.ts";
import { type GatewayStore, type Job, runsOf } from "../store/mod.ts";
import { failureOf, isOurs } from "./failure.ts";
import { FairQueue, type Task } from "./fair_queue.ts";
import type { Place, Progress } from "./job_event.ts";
import { filesOf, type JobFiles } from "./job_files.ts";
import type { JobsOptions, Make } from "./maker.ts";
import { Pace } from "./pace.ts";

export interface RunnerParts {
  readonly store: GatewayStore;
  readonly files: JobFiles;
  readonly make: Make;
  /** Of one image, in any unit. */
  readonly work: (request: GenerationRequest) => number;
  readonly options: JobsOptions;
  readonly log: Log;
  /** Hear of an image's steps, and of its end. */
  readonly onProgress: (task: Task, progress: Progress) => void;
  readonly onEnded: (job: Job, n: number) => void;
}

interface Running {
  readonly task: Task;
  readonly stop: AbortController;
  readonly begun: number;
  progress: Progress | undefined;
}

/** Milliseconds after which what could not be written is tried again. */
const WRITE_AGAIN_MS = 10_000;

/** Makes the images of jobs, in a fair order, so many at a time. */
export class Runner implements AsyncDisposable {
  readonly #parts: RunnerParts;
  readonly #queue = new FairQueue();
  readonly #running = new Map<string, Running>();
  readonly #settled = new Set<Promise<void>>();
  readonly #again = new Map<ReturnType<typeof setTimeout>, Task>();
  readonly #pace = new Pace();
  #stopped = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Images that are made now, and those that wait. */
  get counts(): { readonly running: number; readonly queued: number } {
    return { running: this.#running.size, queued: this.#queue.size + this.#again.size };
  }

  /** Puts a job's images that have not ended in line. {@link dispatch} begins them. */
  line(job: Job): void {
    for (const { n, seq, request } of job.images) {
      if (seq !== undefined) continue;
      const runs = runsOf(request, job.refinement);
      const work = runs.reduce((sum, run) => sum + this.#parts.work(run), 0);
      this.#queue.add({ job: job.id, n, owner: job.owner, work });
    }
  }

  dispatch(): void {
    while (!this.#stopped && this.#running.size < this.#parts.options.parallel) {
      const task = this.#queue.take();
      if (!task) return;
      const settled = this.#run(task).finally(() => {
        this.#running.delete(keyOf(task));
        this.#settled.delete(settled);
        this.dispatch();
      });
      this.#settled.add(settled);
    }
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

  /** Takes a job out of the line, and ends what of it runs. */
  remove({ owner, id }: Pick<Job, "owner" | "id">): void {
    this.#queue.remove(owner, id);
    for (const { task, stop } of this.#running.values()) if (task.job === id) stop.abort();
  }

  /** Begins nothing more; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#again.keys()) clearTimeout(timer);
  }

  /** @returns when what runs is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await Promise.all(this.#settled);
  }

  async #run(task: Task): Promise<void> {
    const { store, make, files, onEnded } = this.#parts;
    const running = { task, stop: new AbortController(), begun: store.now(), progress: undefined };
    this.#running.set(keyOf(task), running);
    try {
      store.jobs.begin(task.job, task.n);
      const job = store.jobs.get(task.job);
      if (!job || job.ended !== undefined || job.images[task.n].seq !== undefined) return;
      const { request } = job.images[task.n];
      const { image, record } = await make(request, job.format, {
        ...{ owner: task.owner, inputs: await this.#filesFor(job, request) },
        ...{ signal: running.stop.signal, refinement: job.refinement },
        onStep: (progress) => this.#progress(running, progress),
        previews: true,
      });
      await files.writeImage(job, task.n, image);
      this.#pace.learn(task.work, store.now() - running.begun);
      const file = { sha256: sha256Of(image), bytes: image.length };
      const made = store.jobs.made(task.job, task.n, record, file);
      if (made) onEnded(made, task.n);
    } catch (error) {
      this.#endBadly(running, error);
    }
  }

  async #filesFor(job: Job, request: GenerationRequest) {
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const hash of filesOf(request)) {
      files.set(hash, await this.#parts.files.readInput(job.id, hash));
    }
    return files;
  }

  #progress(running: Running, progress: Progress): void {
    running.progress = { preview: running.progress?.preview, ...progress };
    if (!this.#running.has(keyOf(running.task)) || this.#stopped) return;
    this.#parts.onProgress(running.task, progress);
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

  #failed({ task, stop, begun }: Running, error: unknown): void {
    const { store, options: { patienceMs }, log, onEnded } = this.#parts;
    if (stop.signal.aborted) return;
    const job = store.jobs.get(task.job);
    if (!job || job.ended !== undefined) return;
    if (error instanceof RetryLater && begun - job.created < patienceMs) {
      return this.#later(task, 1000 * error.seconds);
    }
    if (isOurs(error)) log("image not made", { ...task, error: reason(error) }, "error");
    const failed = store.jobs.failed(task.job, task.n, failureOf(error));
    if (failed) onEnded(failed, task.n);
  }

  #later(task: Task, ms: number): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#again.delete(timer);
      this.#queue.add(task, { first: true });
      this.dispatch();
    }, ms);
    this.#again.set(timer, task);
  }
}

function keyOf({ job, n }: Pick<Task, "job" | "n">): string {
  return `${job} ${n}`;
}
