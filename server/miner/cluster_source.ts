import { AppError } from "../../core/error.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import type { GenerationCall, MinerInfo } from "../../core/protocol/mod.ts";
import { decodeRequest, type GenerationRequest, randomSeed } from "../../core/request/mod.ts";
import { type OpeningTarget, type Receipt, receiptFromJson } from "../../core/transcript/mod.ts";
import { type Blobs, type Cluster, type Once, WORK_OPTIONS } from "../cluster/mod.ts";
import { RetryLater } from "../http/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { CallerTurns } from "./caller_turns.ts";
import { ClusterCall } from "./cluster_call.ts";
import {
  ANSWER_SECONDS,
  ANSWERS,
  fromBytes,
  type KeeperQuestion,
  kindOf,
  SPOKEN,
  SUBJECTS,
  toBytes,
  type Versions,
} from "./cluster_messages.ts";
import { INPUTS } from "./cluster_files.ts";
import { ClusterWorkers } from "./cluster_workers.ts";
import type {
  GenerationTask,
  ImageFile,
  ImageSource,
  Made,
  SourcedRequest,
} from "./image_source.ts";
import type { Job } from "./job_queue.ts";
import { fileOf } from "./transcript_keeper.ts";

export interface ClusterSourceOptions {
  readonly log: Log;
  /** The model's id, where workers have several. */
  readonly model?: string;
  /** Milliseconds for which the first worker is waited for. */
  readonly waitMs?: number;
  /** Versions of the messages; default: {@link SPOKEN}. */
  readonly speaks?: Versions;
}

const WAIT_MS = 3000;
/** Jobs of an axon that are in the cluster at a time, at least, and of each place of a worker. */
const LEAST_ROOM = 4;
const AHEAD = 2;

/**
 * Has images made by whichever workers have joined a cluster. It keeps nothing itself: any number of
 * axons may do so, and each answers for all that was made.
 */
export class ClusterSource implements ImageSource {
  readonly #cluster: Cluster;
  readonly #hotkey: Hotkey;
  readonly #workers: ClusterWorkers;
  readonly #model: MinerInfo["models"][number];
  readonly #speaks: Versions;
  readonly #stores: { readonly answers: Once; readonly files: Blobs };
  readonly #turns = new CallerTurns(() => this.#room(), WORK_OPTIONS.limit);
  readonly #calls = new Map<string, ClusterCall>();
  #closed = false;
  readonly #idle = Promise.withResolvers<void>();

  private constructor(
    cluster: Cluster,
    hotkey: Hotkey,
    of: {
      readonly workers: ClusterWorkers;
      readonly model: ImageSource["models"][number];
      readonly speaks: Versions;
    },
    stores: { readonly answers: Once; readonly files: Blobs },
  ) {
    this.#cluster = cluster;
    this.#hotkey = hotkey;
    this.#workers = of.workers;
    this.#model = of.model;
    this.#speaks = of.speaks;
    this.#stores = stores;
    this.#workers.onRoom = () => this.#turns.letIn();
  }

  /** @throws AppError `host_unavailable` where no worker ever was. */
  static async connect(
    cluster: Cluster,
    hotkey: Hotkey,
    { log, model, waitMs = WAIT_MS, speaks = SPOKEN }: ClusterSourceOptions,
  ): Promise<ClusterSource> {
    const workers = await ClusterWorkers.open(cluster, hotkey, log);
    try {
      const of = { workers, speaks, model: await workers.model(model, waitMs, speaks) };
      const answers = await cluster.once(ANSWERS, ANSWER_SECONDS);
      const files = await cluster.blobs(INPUTS, ANSWER_SECONDS);
      return new ClusterSource(cluster, hotkey, of, { answers, files });
    } catch (error) {
      await workers[Symbol.asyncDispose]();
      throw error;
    }
  }

  get compute(): string {
    const all = Map.groupBy(this.#workers.live, ({ info }) => info.compute);
    return [...all].map(([compute, { length }]) => `${length} x ${compute}`).join("; ").slice(
      0,
      300,
    );
  }

  get models(): MinerInfo["models"] {
    return [this.#model];
  }

  /** Images that all workers make at a time. */
  get #batch(): number {
    return this.#workers.live.reduce((sum, { info }) => sum + info.capacity.batch, 0);
  }

  capacity(): MinerInfo["capacity"] {
    return {
      ...{ batch: this.#batch, queueLimit: WORK_OPTIONS.limit },
      queued: this.#workers.waiting + this.#turns.waiting,
      running: this.#calls.size - this.#turns.waiting,
    };
  }

  workers(): number {
    return this.#workers.live.length;
  }

  problem(): string | undefined {
    if (this.#workers.live.length === 0) return "No worker is in the cluster.";
    return this.#workers.version(this.#speaks) === undefined ? UNSPOKEN : undefined;
  }

  requestOf(call: GenerationCall): Promise<SourcedRequest> {
    return Promise.try(() => ({ request: this.#requestOf(call) }));
  }

  #requestOf(call: GenerationCall): GenerationRequest {
    const request = decodeRequest(call.request, { ...this.#model.defaults, seed: randomSeed() });
    const most = Math.max(...this.#workers.live.map(({ info }) => info.capacity.batch));
    if (request.batch <= most || most < 1) return request;
    throw new AppError(
      "invalid_request",
      `Cannot generate: batch is ${request.batch}, and this miner makes at most ${most} together`,
      { field: "batch" },
    );
  }

  async run(job: Job<GenerationTask>): Promise<Made> {
    if (this.#closed) {
      throw stopping();
    }
    const [cluster, hotkey] = [this.#cluster, this.#hotkey];
    const kind = () => kindOf(hotkey, this.#model.manifest, this.#version());
    const call = new ClusterCall({ cluster, hotkey, ...this.#stores, kind }, job);
    this.#calls.set(job.id, call);
    try {
      const { owner, caller = owner, spare, onPosition } = job;
      const bytes = job.task.inputs.values().reduce((sum, { length }) => sum + length, 0);
      const turn = { caller, bytes, spare, onPosition, signal: call.signal };
      using _place = await this.#turns.enter(turn);
      return await call.made();
    } finally {
      this.#calls.delete(job.id);
      if (this.#closed && this.#calls.size === 0) this.#idle.resolve();
    }
  }

  /** @throws AppError `host_unavailable`. */
  #version(): number {
    const version = this.#workers.version(this.#speaks);
    if (version !== undefined) return version;
    throw new AppError("host_unavailable", `Cannot generate: ${UNSPOKEN}`);
  }

  /** What workers take soon: more would only wait there, in the order in which it came. */
  #room(): number {
    return Math.max(LEAST_ROOM, AHEAD * this.#batch);
  }

  /** Another axon may have the job. */
  async cancel(id: string, owner: string): Promise<boolean> {
    const call = this.#calls.get(id);
    if (call) return call.owner === owner && call.cancel();
    const answer = await this.#cluster.bus.ask(SUBJECTS.caller(id), toBytes(owner));
    return answer !== undefined && fromBytes(answer) === true;
  }

  async opens(token: string, id: string): Promise<boolean> {
    return fromBytes(await this.#ask(id, { want: "opens", token })) === true;
  }

  async receipt(id: string): Promise<Receipt> {
    return receiptFromJson(fromBytes(await this.#ask(id, { want: "receipt" })));
  }

  async open(id: string, target: OpeningTarget): Promise<Uint8Array> {
    return await this.#ask(id, { want: "step", step: target });
  }

  async image(id: string): Promise<ImageFile> {
    return fileOf(await this.#ask(id, { want: "image" }));
  }

  async input(id: string, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    return Uint8Array.from(await this.#ask(id, { want: "input", sha256 }));
  }

  async forget(id: string): Promise<void> {
    await this.#ask(id, { want: "forget" });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#turns.close(stopping());
    if (this.#calls.size > 0) await this.#idle.promise;
    await this.#workers[Symbol.asyncDispose]();
  }

  async #ask(id: string, question: KeeperQuestion): Promise<Uint8Array> {
    const answer = await this.#cluster.bus.ask(SUBJECTS.receipt(id), toBytes(question));
    if (answer) return answer;
    throw new AppError("transcript_not_found", "Cannot open: no worker has this receipt");
  }
}

const UNSPOKEN = "The cluster's workers are of another version than this axon: update the older.";

function stopping(): RetryLater {
  return new RetryLater("not_ready", "Cannot take the request: this server is stopping", 10);
}
