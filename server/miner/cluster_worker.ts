import { AppError } from "../../core/error.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import type { MinerInfo } from "../../core/protocol/mod.ts";
import type { Blobs, Cluster, Once, Work } from "../cluster/mod.ts";
import { errorResponse, RetryLater } from "../http/mod.ts";
import { type Log, traced } from "../telemetry/mod.ts";
import {
  ANSWER_SECONDS,
  ANSWERS,
  decodeHello,
  fromBytes,
  type Hello,
  HELLO_MS,
  type JobEvent,
  kindsOf,
  MODELS,
  MODELS_SECONDS,
  SPOKEN,
  SUBJECTS,
  toBytes,
  type Versions,
  wordOf,
} from "./cluster_messages.ts";
import { getInputs, INPUTS } from "./cluster_files.ts";
import { generationJob, type JobParts } from "./generation_job.ts";
import { TranscriptKeeper } from "./transcript_keeper.ts";

export interface WorkerParts {
  readonly cluster: Cluster;
  readonly hotkey: Hotkey;
  /** With a source of this process. */
  readonly job: JobParts;
  readonly info: () => MinerInfo;
  /** The machine's name. */
  readonly host: string;
  /** Jobs that are taken at a time. */
  readonly batch: number;
  /** Receipts whose transcripts are here already. */
  readonly kept: readonly string[];
  readonly log: Log;
  /** Milliseconds from one sign of life to the next, of work and of the worker. */
  readonly beatMs?: number;
  /** Versions of the messages; default: {@link SPOKEN}. */
  readonly speaks?: Versions;
}

/** Milliseconds that a take waits, and that a worker waits after it was refused. */
const TAKE_MS = 10_000;
/** Milliseconds that one waits for jobs of a version, where it takes several in turn. */
const SHARED_TAKE_MS = 300;
const PAUSE_MS = 1000;

/** Takes jobs of its model from a cluster, one run at a time, and keeps what it made. */
export class ClusterWorker implements AsyncDisposable {
  readonly id = crypto.randomUUID();
  readonly #parts: WorkerParts;
  readonly #answers: Once;
  readonly #files: Blobs;
  readonly #keeper: TranscriptKeeper;
  readonly #speaks: Versions;
  readonly #kinds: readonly string[];
  readonly #stop = new AbortController();
  readonly #stack = new AsyncDisposableStack();
  /** What each job that is here is ended by. */
  readonly #jobs = new Map<string, AbortController>();
  /** Answers on their way. */
  readonly #ending = new Set<Promise<void>>();
  /** The machine was asked to leave. */
  readonly drained: Promise<void>;
  readonly #drained = Promise.withResolvers<void>();
  #working: Promise<void> = Promise.resolve();

  private constructor(parts: WorkerParts, answers: Once, files: Blobs) {
    this.#parts = parts;
    this.#answers = answers;
    this.#files = files;
    this.#keeper = this.#stack.use(new TranscriptKeeper(parts.cluster, parts.job.source));
    this.#speaks = parts.speaks ?? SPOKEN;
    this.#kinds = kindsOf(parts.hotkey, parts.info().models[0].manifest, this.#speaks);
    this.drained = this.#drained.promise;
  }

  /** Joins: answers for what it keeps, says what it is, and takes jobs. */
  static async start(parts: WorkerParts): Promise<ClusterWorker> {
    const { cluster, hotkey, kept } = parts;
    const answers = await cluster.once(ANSWERS, ANSWER_SECONDS);
    const files = await cluster.blobs(INPUTS, ANSWER_SECONDS);
    const worker = new ClusterWorker(parts, answers, files);
    const models = await cluster.blobs(MODELS, MODELS_SECONDS);
    await models.put(hotkey.address, worker.#hello(false));
    await worker.#keeper.keep(kept);
    await worker.#listen();
    worker.#working = worker.#work();
    return worker;
  }

  /** Jobs that are here. */
  get running(): number {
    return this.#jobs.size;
  }

  /** Called where the source no longer has a transcript. */
  forget(receiptId: string): void {
    this.#keeper.forget(receiptId);
  }

  /** Takes no more, finishes what runs, and leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#say(this.#hello(true));
    await this.#working;
    await Promise.all(this.#ending);
    await this.#stack.disposeAsync();
  }

  async #listen(): Promise<void> {
    const { cluster: { bus }, hotkey, host } = this.#parts;
    const hear = async (subject: string, heard: (body: Uint8Array) => void) =>
      this.#stack.use(await bus.listen(subject, heard));
    await hear(SUBJECTS.cancel(hotkey), (body) => {
      this.#jobs.get(String(fromBytes(body)))?.abort();
    });
    await hear(SUBJECTS.who(hotkey), () => this.#say(this.#hello(this.#stop.signal.aborted)));
    await hear(SUBJECTS.drain(hotkey), (body) => {
      if (fromBytes(body) === host) this.#drained.resolve();
    });
    const timer = setInterval(
      () => this.#say(this.#hello(this.#stop.signal.aborted)),
      this.#parts.beatMs ?? HELLO_MS,
    );
    this.#stack.defer(() => clearInterval(timer));
    this.#say(this.#hello(false));
  }

  #hello(leaving: boolean): Uint8Array {
    const { host, info } = this.#parts;
    const all: Hello = { id: this.id, host, info: info(), leaving, speaks: this.#speaks };
    return toBytes(all);
  }

  #say(hello: Uint8Array): void {
    this.#parts.cluster.bus.publish(SUBJECTS.hello(this.#parts.hotkey), hello);
  }

  async #work(): Promise<void> {
    const { cluster, batch, log } = this.#parts;
    const { signal } = this.#stop;
    const onDead = async ({ id }: { readonly id: string }) => {
      log(
        "job_dead",
        { id, why: "it was taken as often as a job may be, and never done" },
        "error",
      );
      await this.#answer(id, failed("its workers died", id));
    };
    // Jobs of another version are there while workers and axons are replaced alone.
    const waitMs = this.#kinds.length === 1 ? TAKE_MS : SHARED_TAKE_MS;
    for (let k = 0; !signal.aborted; k = (k + 1) % this.#kinds.length) {
      try {
        const work = await cluster.work.take(this.#kinds[k], batch, { waitMs, signal, onDead });
        await Promise.all(work.map((each) => this.#do(each)));
      } catch (error) {
        log("take_failed", { error: String(error) }, "warn");
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  /** Resolves when the engine is free again; the answer may still be on its way. */
  async #do(work: Work): Promise<void> {
    const beat = setInterval(() => work.beat(), this.#parts.beatMs ?? HELLO_MS);
    const abort = new AbortController();
    this.#jobs.set(work.id, abort);
    let end: JobEvent | undefined;
    try {
      // Most have no answer yet: the engine does not wait for the cluster to say so.
      void this.#abortAnswered(work.id, abort);
      const make = () => this.#make(work, abort.signal);
      end = await traced("job", { id: work.id, delivery: work.delivery }, make, work.trace);
    } finally {
      const ending = this.#end(work, end).catch((error) =>
        this.#parts.log("answer_failed", { id: work.id, error: String(error) }, "warn")
      ).finally(() => {
        clearInterval(beat);
        this.#jobs.delete(work.id);
        this.#ending.delete(ending);
      });
      this.#ending.add(ending);
    }
  }

  /** It was cancelled while it waited, or another worker was believed dead. */
  async #abortAnswered(id: string, abort: AbortController): Promise<void> {
    const answer = await this.#answers.get(id).catch(() => undefined);
    if (answer !== undefined) abort.abort();
  }

  /** @returns how it ended; undefined where another worker shall try. */
  async #make({ id, body, delivery }: Work, signal: AbortSignal): Promise<JobEvent | undefined> {
    const { job, hotkey, log } = this.#parts;
    let sent: Promise<void> = Promise.resolve();
    const emit = (event: string, data: unknown) => {
      // What is not heard by the way changes nothing of the image.
      sent = sent.then(async () => this.#tell(id, { event, json: await data } as JobEvent))
        .catch((error) => log("event_lost", { id, event, error: String(error) }, "warn"));
    };
    try {
      const json = fromBytes(body);
      const inputs = await getInputs(this.#files, id, Object(json).request);
      const call = { json, inputs };
      const run = await generationJob(job, hotkey.address, call);
      const answer = await run(emit, signal);
      await sent;
      return { event: "done", json: answer };
    } catch (error) {
      if (!isFinal(error) && delivery < LAST_TRY && !signal.aborted) {
        log("job_given_back", { id, delivery, error: String(error) }, "warn");
        return undefined;
      }
      const response = errorResponse(error, () => log("failed", { error: String(error) }, "error"));
      return { event: "error", json: await response.json() };
    }
  }

  /** The answer is safe before the job is done. */
  async #end(work: Work, end: JobEvent | undefined): Promise<void> {
    if (end === undefined && await this.#answers.get(work.id) === undefined) {
      return await work.giveBack();
    }
    if (end) {
      await this.#keeper.keep(imagesOf(end));
      await this.#answer(work.id, end);
    }
    await work.done();
  }

  /** The first answer of a job counts. What another made as well is not kept. */
  async #answer(id: string, end: JobEvent): Promise<void> {
    const first = await this.#answers.claim(id, JSON.stringify(end));
    if (first) return this.#tell(id, end);
    for (const image of imagesOf(end)) {
      this.#keeper.forget(image);
      await this.#parts.job.source.forget(image);
    }
  }

  #tell(id: string, event: JobEvent): void {
    const word = wordOf(event);
    // The answer is in the table.
    if (word) this.#parts.cluster.bus.publish(SUBJECTS.job(id), word);
  }
}

/** The delivery after which an error is the answer: as many as the queue hands out. */
const LAST_TRY = 3;

/** Whether another worker would say the same. */
function isFinal(error: unknown): boolean {
  const lost = ["device_lost", "host_failed", "host_unavailable", "storage_failed", "not_ready"];
  return error instanceof AppError && !(error instanceof RetryLater) && !lost.includes(error.code);
}

/** Receipts of what was made. */
function imagesOf({ json }: JobEvent): readonly string[] {
  const { images = [] } = json as { readonly images?: readonly { readonly id: string }[] };
  return images.map(({ id }) => id);
}

function failed(why: string, id: string): JobEvent {
  const message = `Cannot generate: job ${id} was given up, as ${why}`;
  return { event: "error", json: { error: { code: "host_failed", message } } };
}

/** What a worker that was here left of its abilities. */
export async function modelsLeft(
  cluster: Cluster,
  { address }: Hotkey,
): Promise<Hello | undefined> {
  const left = await (await cluster.blobs(MODELS, MODELS_SECONDS)).get(address);
  return left && decodeHello(left);
}
