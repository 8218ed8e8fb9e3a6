import { AppError, reason } from "../../core/error.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import { type Blobs, type Cluster, type Once, WORK_OPTIONS } from "../cluster/mod.ts";
import { RetryLater } from "../http/mod.ts";
import { decodeEvent, fromBytes, type JobEvent, SUBJECTS, toBytes } from "./cluster_messages.ts";
import { putInputs, removeInputs } from "./cluster_files.ts";
import { callOf, takeEvent } from "./generator_call.ts";
import type { GenerationTask, Made } from "./image_source.ts";
import type { Job } from "./job_queue.ts";

export interface CallParts {
  readonly cluster: Cluster;
  readonly hotkey: Hotkey;
  readonly answers: Once;
  readonly files: Blobs;
  /** Of its queue, as workers are now. */
  readonly kind: () => string;
  /** Milliseconds from one look to the next, and until a job may be lost; defaults: of this file. */
  readonly lookMs?: number;
  readonly lostMs?: number;
}

/** Milliseconds from one look for an answer, of which no word came, to the next. */
const LOOK_MS = 5000;
/** Milliseconds after which a job of an empty queue is added again: before, JetStream has its id. */
const LOST_MS = 130_000;
/** Seconds after which a full queue may have room. */
const ROOM_SECONDS = 5;

/** A job of an axon in the cluster, until its answer. */
export class ClusterCall {
  readonly owner: string;
  readonly #parts: CallParts;
  readonly #job: Job<GenerationTask>;
  readonly #made = Promise.withResolvers<Made>();
  /** Events are taken one after the other. */
  #taken: Promise<void> = Promise.resolve();
  readonly #ended = new AbortController();
  #added = performance.now();
  /** Aborts when it is cancelled, by its owner or by who waits for it. */
  readonly signal: AbortSignal;

  constructor(parts: CallParts, job: Job<GenerationTask>) {
    this.owner = job.owner;
    this.signal = AbortSignal.any([this.#ended.signal, ...job.signal ? [job.signal] : []]);
    this.#parts = parts;
    this.#job = job;
    this.#made.promise.catch(() => {});
  }

  /**
   * Puts the job into the queue and waits for its answer.
   * @throws as `ImageSource.run`; AppError `cluster_unavailable`, `storage_failed`.
   */
  async made(): Promise<Made> {
    const { cluster: { bus } } = this.#parts;
    const { id, signal, task: { inputs } } = this.#job;
    await using stack = new AsyncDisposableStack();
    const heard = await Promise.all([
      bus.listen(SUBJECTS.job(id), (body) => this.#take(decodeEvent(body))),
      bus.answer(SUBJECTS.caller(id), this.#asked),
    ]);
    for (const each of heard) stack.use(each);
    const leave = () => void this.cancel();
    signal?.addEventListener("abort", leave, { once: true });
    stack.defer(() => signal?.removeEventListener("abort", leave));
    stack.defer(() => void removeInputs(this.#parts.files, id, inputs).catch(() => {}));
    if (signal?.aborted) leave();
    else await this.#add();
    const timer = setInterval(() => void this.#look(), this.#parts.lookMs ?? LOOK_MS);
    // It is forgotten by then, and nobody says so.
    const late = setTimeout(() => this.#made.reject(notMade()), WORK_OPTIONS.maxAgeMs);
    stack.defer(() => (clearInterval(timer), clearTimeout(late)));
    return await this.#made.promise;
  }

  /** @returns whether it ended by this. */
  cancel(): boolean {
    if (this.#ended.signal.aborted) return false;
    this.#ended.abort();
    const error = new AppError("cancelled", "Cannot generate: it was cancelled");
    this.#made.reject(error);
    void this.#spreadCancel(error);
    return true;
  }

  /** Whoever takes the job from now on sees that it has its answer; who has it, ends it. */
  async #spreadCancel({ code, message }: AppError): Promise<void> {
    const { cluster, answers, hotkey } = this.#parts;
    const answer: JobEvent = { event: "error", json: { error: { code, message } } };
    await answers.claim(this.#job.id, JSON.stringify(answer)).catch(() => false);
    cluster.bus.publish(SUBJECTS.cancel(hotkey), toBytes(this.#job.id));
  }

  readonly #asked = (body: Uint8Array): Promise<Uint8Array> =>
    Promise.resolve(toBytes(fromBytes(body) === this.owner && this.cancel()));

  async #add(): Promise<void> {
    const { cluster: { work }, files } = this.#parts;
    const kind = this.#parts.kind();
    const { id, onPosition, spare, task: { inputs } } = this.#job;
    if (spare && (await work.counts(kind)).waiting > 0) {
      const why = "Cannot take the request: others wait, and they come first";
      throw new RetryLater("queue_full", why, ROOM_SECONDS);
    }
    await putInputs(files, id, inputs);
    this.#added = performance.now();
    try {
      await work.add(kind, id, this.#body());
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "queue_full") throw error;
      throw new RetryLater("queue_full", error.message, ROOM_SECONDS, { cause: error });
    }
    if (onPosition) onPosition((await work.counts(kind)).waiting);
  }

  #take(event: JobEvent): void {
    this.#taken = this.#taken.then(async () => {
      const made = await takeEvent(this.#job, event.event, event.json);
      if (made) this.#made.resolve(made);
    }).catch((error) => this.#made.reject(asAppError(error)));
  }

  /** Its word may have been lost, not its answer. */
  async #look(): Promise<void> {
    const answer = await this.#answer();
    if (answer !== undefined) return this.#take(JSON.parse(answer) as JobEvent);
    if (performance.now() - this.#added > (this.#parts.lostMs ?? LOST_MS)) await this.#addLost();
  }

  /**
   * A worker answers before its job leaves the queue. One without an answer of which an empty queue has
   * nothing was lost there, as nats-server 2.9 may where it is killed.
   */
  async #addLost(): Promise<void> {
    const { cluster: { work } } = this.#parts;
    const { id } = this.#job;
    const kind = this.#parts.kind();
    try {
      const { waiting, taken } = await work.counts(kind);
      if (waiting + taken > 0 || await this.#answer() !== undefined) return;
      await work.add(kind, id, this.#body());
    } catch {
      // The next look tries again.
    }
  }

  #answer(): Promise<string | undefined> {
    return this.#parts.answers.get(this.#job.id).catch(() => undefined);
  }

  #body(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(callOf(this.#job)));
  }
}

function notMade(): AppError {
  const minutes = WORK_OPTIONS.maxAgeMs / 60_000;
  return new AppError(
    "host_unavailable",
    `Cannot generate: no worker has made it in ${minutes} minutes`,
  );
}

/** An invalid answer is a worker's failure. */
function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("host_failed", `Cannot generate: a worker says ${reason(error)}`);
}
