import { readAtMost } from "../../core/bounded_body.ts";
import { AppError, reason } from "../../core/error.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { decodeRequest, randomSeed } from "../../core/request/mod.ts";
import {
  addressOf,
  type Filled,
  type GenerationCall,
  MAX_INPUTS_BYTES,
  type MinerInfo,
  PATHS,
} from "../../core/protocol/mod.ts";
import { type OpeningTarget, type Receipt, receiptFromJson } from "../../core/transcript/mod.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import { RetryLater } from "../http/mod.ts";
import {
  type Endpoint,
  notThere,
  openEndpoint,
  opensAt,
  refusalOf,
  sendSigned,
  unavailable,
} from "./generation_endpoint.ts";
import type { Log } from "../telemetry/mod.ts";
import { makeAt } from "./generator_call.ts";
import { GeneratorWatch } from "./generator_watch.ts";
import type {
  GenerationTask,
  ImageFile,
  ImageSource,
  Made,
  SourcedRequest,
} from "./image_source.ts";
import type { Job } from "./job_queue.ts";

/** What is kept of a receipt, by its id. */
type IdPath = typeof PATHS["generation" | "image" | "step" | "input"];

export interface RemoteOptions {
  readonly log: Log;
  /** Milliseconds from asking all generators whether they are there to asking again. */
  readonly watchMs?: number;
}

interface Running {
  readonly owner: string;
  readonly abort: AbortController;
}

const MAX_FILE_BYTES = 2 ** 28;
/** A receipt, with its id. */
const MAX_ANSWER_BYTES = 2 ** 20;
/** Receipts whose generator is remembered; others are looked for at all generators. */
const MAX_REMEMBERED = 10_000;

/** Has images made by other servers that sign with the same hotkey, each request by one of them. */
export class RemoteGenerator implements ImageSource {
  readonly #endpoints: readonly Endpoint[];
  readonly #hotkey: Hotkey;
  readonly #running = new Map<string, Running>();
  readonly #makers = new Map<string, Endpoint>();
  readonly #watch: GeneratorWatch;
  #closed = false;

  private constructor(endpoints: readonly Endpoint[], hotkey: Hotkey, watch: GeneratorWatch) {
    this.#endpoints = endpoints;
    this.#hotkey = hotkey;
    this.#watch = watch;
  }

  /** @throws AppError `host_unavailable` for one that is not there, or is another miner's. */
  static async connect(
    urls: readonly string[],
    hotkey: Hotkey,
    { log, watchMs }: RemoteOptions,
  ): Promise<RemoteGenerator> {
    const endpoints = await Promise.all(urls.map((url) => openEndpoint(url, hotkey)));
    const [{ info: { models: [first] } }] = endpoints;
    const other = endpoints.find(({ info }) => info.models[0].manifest !== first.manifest);
    if (other) throw unavailable(other.url, "it has another model than the others");
    const watch = new GeneratorWatch(endpoints, hotkey, log, watchMs);
    return new RemoteGenerator(endpoints, hotkey, watch);
  }

  get compute(): string {
    return this.#endpoints.map(({ info }) => info.compute).join("; ");
  }

  get models(): MinerInfo["models"] {
    return this.#endpoints[0].info.models;
  }

  capacity(): MinerInfo["capacity"] {
    const sum = (of: (endpoint: Endpoint) => number) =>
      this.#endpoints.filter(({ up }) => up)
        .reduce((total, endpoint) => total + of(endpoint), 0);
    return {
      batch: sum(({ info }) => info.capacity.batch),
      queueLimit: sum(({ info }) => info.capacity.queueLimit),
      queued: 0,
      running: this.#running.size,
    };
  }

  generators(): readonly Pick<Endpoint, "url" | "up">[] {
    return this.#endpoints;
  }

  problem(): string | undefined {
    return this.#endpoints.some(({ up }) => up) ? undefined : "No image generator answers.";
  }

  /** The one that makes it decodes the files. */
  requestOf(call: GenerationCall): Promise<SourcedRequest> {
    const [{ defaults }] = this.models;
    return Promise.try(() => ({
      request: decodeRequest(call.request, { ...defaults, seed: randomSeed() }),
    }));
  }

  async run(job: Job<GenerationTask>): Promise<Made> {
    if (this.#closed) {
      throw new RetryLater("not_ready", "Cannot take the request: this server is stopping", 10);
    }
    const abort = new AbortController();
    const { id, owner, signal } = job;
    this.#running.set(id, { owner, abort });
    const leave = () => this.cancel(id, owner);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await this.#tryEach(job, abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      throw new AppError("cancelled", "Cannot generate: it was cancelled", { cause: error });
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#running.delete(id);
    }
  }

  cancel(id: string, owner: string): boolean {
    const running = this.#running.get(id);
    if (running?.owner !== owner) return false;
    running.abort.abort();
    return true;
  }

  async opens(token: string, id: string): Promise<boolean> {
    const maker = await this.#makerOf(id);
    return await opensAt(maker, token, id);
  }

  async receipt(id: string): Promise<Receipt> {
    const { bytes } = await this.#read(PATHS.generation, { id }, MAX_ANSWER_BYTES);
    const json = parseJsonText(new TextDecoder().decode(bytes));
    return receiptFromJson((json as { readonly receipt: unknown }).receipt);
  }

  async open(id: string, target: OpeningTarget): Promise<Uint8Array> {
    return (await this.#read(PATHS.step, { id, step: target }, MAX_FILE_BYTES)).bytes;
  }

  image(id: string): Promise<ImageFile> {
    return this.#read(PATHS.image, { id }, MAX_FILE_BYTES);
  }

  async input(id: string, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    return (await this.#read(PATHS.input, { id, sha256 }, MAX_INPUTS_BYTES)).bytes;
  }

  async forget(id: string): Promise<void> {
    const response = await this.#askMaker("DELETE", PATHS.generation, { id });
    await response.body?.cancel();
  }

  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running.size > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await this.#watch[Symbol.asyncDispose]();
  }

  /** Those that are there first, the least busy of them; another when one has no room or is gone. */
  async #tryEach(job: Job<GenerationTask>, signal: AbortSignal): Promise<Made> {
    const order = this.#endpoints.toSorted((a, b) =>
      Number(b.up) - Number(a.up) || a.running - b.running
    );
    const errors: unknown[] = [];
    for (const endpoint of order) {
      endpoint.running++;
      try {
        return this.#take(endpoint, await makeAt(endpoint, job, this.#hotkey, signal));
      } catch (error) {
        const final = error instanceof AppError && !(error instanceof RetryLater);
        if (final || signal.aborted) throw error;
        if (!(error instanceof RetryLater)) this.#watch.lost(endpoint, error);
        errors.push(error);
      } finally {
        endpoint.running--;
      }
    }
    const busy = errors.find((error) => error instanceof RetryLater);
    if (busy) throw busy;
    const why = `no image generator answers (${errors.map(reason).join("; ")})`;
    throw new RetryLater("not_ready", `Cannot generate: ${why}`, 10);
  }

  /** Remembers who made it. */
  #take(endpoint: Endpoint, made: Made): Made {
    for (const { id } of made.images) this.#makers.set(id, endpoint);
    const over = this.#makers.size - MAX_REMEMBERED;
    if (over > 0) {
      for (const id of [...this.#makers.keys()].slice(0, over)) this.#makers.delete(id);
    }
    return made;
  }

  async #makerOf(id: string): Promise<Endpoint> {
    const known = this.#makers.get(id);
    if (known) return known;
    let silent: Endpoint | undefined;
    for (const endpoint of this.#endpoints) {
      const response = await sendSigned(
        this.#hotkey,
        addressOf(endpoint.url, PATHS.generation, { id }),
        "GET",
      )
        .catch(() => undefined);
      await response?.body?.cancel();
      if (response?.ok) return endpoint;
      if (!response) silent = endpoint;
    }
    if (silent) throw notThere(silent);
    throw new AppError("transcript_not_found", "Cannot open: no image generator has this receipt");
  }

  /** @throws RetryLater `not_ready` when the one that made it is not there; what it refuses by. */
  async #askMaker<Path extends IdPath>(
    method: "GET" | "DELETE",
    path: Path,
    parameters: Filled<Path> & { readonly id: string },
  ): Promise<Response> {
    const maker = await this.#makerOf(parameters.id);
    const response = await sendSigned(this.#hotkey, addressOf(maker.url, path, parameters), method)
      .catch((cause) => {
        throw notThere(maker, cause);
      });
    if (response.ok) return response;
    throw await refusalOf(response);
  }

  async #read<Path extends IdPath>(
    path: Path,
    parameters: Filled<Path> & { readonly id: string },
    max: number,
  ): Promise<ImageFile> {
    const response = await this.#askMaker("GET", path, parameters);
    const bytes = await readAtMost(response, max);
    if (!bytes) throw unavailable(response.url, `it sends more than ${max} bytes`);
    return { bytes, mediaType: response.headers.get("content-type") ?? "" };
  }
}
