import { AppError } from "../../core/error.ts";
import {
  canBatchWith,
  decodeRequest,
  type GenerationRequest,
  type Planner,
  randomSeed,
} from "../../core/request/mod.ts";
import type { ImageCodec } from "../../core/image/mod.ts";
import {
  decodeSources,
  fittedSources,
  type Generation,
  type ImageEngine,
  type InputDecoder,
} from "../../core/generation/mod.ts";
import type { ModelFacts } from "../../core/model/mod.ts";
import type { GenerationCall, ImageAnswer, InputFiles } from "../../core/protocol/mod.ts";
import {
  type Commitment,
  imageLeaf,
  leavesOfImages,
  type OpeningTarget,
  type Receipt,
  receiptId,
  sourcesOf,
} from "../../core/transcript/mod.ts";
import { makeReceipts, openStep, RunRecorder } from "../../core/prover/mod.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import type { NeuronEngine } from "../neuron/mod.ts";
import type { TranscriptStore } from "../transcripts/mod.ts";
import type {
  GenerationTask,
  ImageFile,
  ImageSource,
  Made,
  SourcedRequest,
} from "./image_source.ts";
import { type Job, JobQueue, type Running } from "./job_queue.ts";
import { RunTrace } from "./run_trace.ts";
import type { OpeningTokens } from "./opening_token.ts";

export interface GeneratorParts {
  readonly engine: ImageEngine;
  /** The catalogue's for the model, or the engine's. */
  readonly defaults: ImageEngine["defaults"];
  /** Throws for what the model cannot make. */
  readonly checkRequest: (request: GenerationRequest) => void;
  /** Of the model: what was generated is opened by the same plan. */
  readonly plans: Planner;
  readonly facts: ModelFacts;
  /** LoRAs that requests may name. */
  readonly adapters: NeuronEngine["adapters"];
  /** ControlNets that requests may name. */
  readonly controls: NeuronEngine["controls"];
  /** Signs the receipts. */
  readonly hotkey: Hotkey;
  readonly store: TranscriptStore;
  readonly tokens: OpeningTokens;
  /** Encodes the images. */
  readonly codec: ImageCodec;
  /** Requests that may wait. */
  readonly queue: number;
  /** Images of one run. */
  readonly batch: number;
}

/** A batch that ran. */
interface Run {
  readonly generation: Generation;
  readonly recorder: RunRecorder;
  /** Of all images. */
  readonly files: readonly Uint8Array<ArrayBuffer>[];
  readonly commitments: readonly Commitment[];
  /** Milliseconds since 1970. */
  readonly started: number;
}

/** Makes images on this machine, commits to their steps, and opens them. */
export class Generator implements ImageSource {
  readonly #parts: GeneratorParts;
  readonly #queue: JobQueue<GenerationTask, Made>;
  readonly #traces = new WeakMap<GenerationTask, RunTrace>();

  constructor(parts: GeneratorParts) {
    this.#parts = parts;
    this.#queue = new JobQueue<GenerationTask, Made>(parts.queue, {
      together: (one, other) =>
        canBatchWith(one.request, other.request) && !seedsOverlap(one.request, other.request),
      size: ({ request }) => request.batch,
      room: parts.batch,
      run: (tasks) => this.#generate(tasks),
    });
  }

  get compute(): string {
    return this.#parts.engine.compute;
  }

  problem(): string | undefined {
    return this.#parts.engine.problem;
  }

  get models(): ImageSource["models"] {
    const { facts, adapters, controls, defaults } = this.#parts;
    return [{ ...facts, adapters: [...adapters], controls: [...controls], defaults }];
  }

  capacity(): ReturnType<ImageSource["capacity"]> {
    const { limit, queued, running } = this.#queue;
    return { batch: this.#parts.batch, queueLimit: limit, queued, running };
  }

  run(job: Job<GenerationTask>): Promise<Made> {
    this.#traces.set(job.task, new RunTrace());
    return this.#queue.run(job);
  }

  cancel(id: string, owner: string): boolean {
    return this.#queue.cancel(id, owner);
  }

  opens(token: string, id: string): Promise<boolean> {
    return Promise.resolve(this.#parts.tokens.opens(token, id));
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async requestOf(call: GenerationCall, inputs: InputFiles): Promise<SourcedRequest> {
    const { defaults, checkRequest, batch, codec } = this.#parts;
    const request = decodeRequest(call.request, { ...defaults, seed: randomSeed() });
    checkRequest(request);
    checkBatch(request, batch);
    const decode: InputDecoder = (file, what) => codec.decodeInput(file, what);
    const files = await decodeSources(request, inputs, decode);
    return { request, source: fittedSources(files, request) };
  }

  /**
   * Runs requests as one batch.
   * @throws AppError as the engine, or `storage_failed`: nothing of it is kept then.
   */
  async #generate(running: readonly Running<GenerationTask>[]): Promise<Made[]> {
    const { engine, codec } = this.#parts;
    const tasks = running.map(({ task }) => task);
    const [{ request }, ...others] = tasks;
    const batch = tasks.reduce((sum, task) => sum + task.request.batch, 0);
    const firsts = tasks.map((_, k) =>
      tasks.slice(0, k).reduce((sum, task) => sum + task.request.batch, 0)
    );
    const started = Date.now();
    const traces = tasks.map((task) => this.#traces.get(task));
    for (const each of traces) each?.begins();
    const recorder = new RunRecorder({ ...request, batch }, { keep: true });
    const generation = await engine.generate(request, {
      // Those that are batched start from the same files.
      source: tasks[0].source,
      batchedWith: others.map((task) => task.request),
      signal: allAborted(running.map(({ signal }) => signal)),
      onLeaf: (leaf) => {
        for (const each of traces) each?.leaf();
        return recorder.add(leaf);
      },
      onStep: (progress) => {
        for (const each of traces) each?.step(progress.index);
        for (const [k, task] of tasks.entries()) {
          const [first, end] = [firsts[k], firsts[k] + task.request.batch];
          task.onStep({ ...progress, preview: () => progress.preview()?.slice(first, end) });
        }
      },
    });
    const files = await Promise.all(
      tasks.flatMap(({ request, format }, k) =>
        generation.images.slice(firsts[k], firsts[k] + request.batch)
          .map((image) => codec.encode(image, format))
      ),
    );
    const run = {
      generation,
      recorder,
      files,
      commitments: recorder.finish(files, generation.plan),
      started,
    };
    return await Promise.all(tasks.map((task, k) => this.#commit(task, firsts[k], run)));
  }

  /** Receipts of a task's images, whose first is this one of the run. */
  async #commit(task: GenerationTask, first: number, run: Run): Promise<Made> {
    const { hotkey, facts, tokens, engine } = this.#parts;
    const { request, inputs, format, validator } = task;
    const { generation, recorder } = run;
    const end = first + request.batch;
    const [files, commitments] = [run.files.slice(first, end), run.commitments.slice(first, end)];
    const receipts = await makeReceipts({
      ...{ generation: { ...generation, request }, format, files, commitments, validator },
      ...{ model: facts, backend: engine.backend },
      times: { started: run.started, finished: Date.now() },
    }, hotkey);
    const images = await Promise.all(receipts.map(async (receipt, k): Promise<ImageAnswer> => {
      const id = receiptId(receipt);
      const { hashes } = commitments[k];
      await this.#keep({ id, receipt }, recorder, first + k, { file: files[k], inputs, hashes });
      return { id, receipt, token: tokens.of(id) };
    }));
    return { images, notices: generation.notices };
  }

  async receipt(id: string): Promise<Receipt> {
    await using transcript = await this.#parts.store.open(id);
    return transcript.receipt;
  }

  async open(id: string, target: OpeningTarget): Promise<Uint8Array> {
    await using transcript = await this.#parts.store.open(id);
    const { receipt } = transcript;
    const request = decodeRequest(receipt.request, { ...this.#parts.defaults, seed: 0n });
    const { plan } = this.#parts.plans(request);
    return await openStep(transcript, receipt, plan, target, id);
  }

  async image(id: string): Promise<ImageFile> {
    await using transcript = await this.#parts.store.open(id);
    const { receipt } = transcript;
    const { image, steps } = receipt;
    return {
      bytes: await transcript.leaf(imageLeaf(steps, sourcesOf(receipt))),
      mediaType: image.mediaType,
    };
  }

  async input(id: string, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    await using transcript = await this.#parts.store.open(id);
    return await transcript.input(sha256);
  }

  async forget(id: string): Promise<void> {
    await this.#parts.store.remove(id);
  }

  async #keep(
    { id, receipt }: Pick<ImageAnswer, "id" | "receipt">,
    recorder: RunRecorder,
    k: number,
    { file, inputs, hashes }: {
      readonly file: Uint8Array;
      readonly inputs: InputFiles;
      readonly hashes: Commitment["hashes"];
    },
  ): Promise<void> {
    const leaf = receipt.latent.reduce((product, side) => product * side, 2);
    const leaves = imageLeaf(receipt.steps, sourcesOf(receipt)) * leaf + file.length;
    const bytes = inputs.values().reduce((sum, { length }) => sum + length, leaves);
    await using writer = await this.#parts.store.create(id, bytes);
    const batch = Math.max(
      1,
      recorder.leaves[0].bits.length / receipt.latent.reduce((a, b) => a * b, 1),
    );
    for (const leaf of recorder.leaves) {
      const { bits } = leavesOfImages(leaf, batch)[k];
      writer.append(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength));
    }
    writer.append(file);
    for (const [sha256, input] of inputs) writer.attach(sha256, input);
    await writer.commit(receipt, hashes);
  }
}

/** @throws AppError `invalid_request` for more images than one run has room for. */
function checkBatch({ batch }: GenerationRequest, max: number): void {
  if (batch <= max) return;
  throw new AppError(
    "invalid_request",
    `Cannot generate: batch is ${batch}, and this miner makes at most ${max} together (--batch)`,
    { field: "batch" },
  );
}

/** Images of one seed in one run could have one receipt, which is kept but once. */
function seedsOverlap(one: GenerationRequest, other: GenerationRequest): boolean {
  return one.seed < other.seed + BigInt(other.batch) && other.seed < one.seed + BigInt(one.batch);
}

/** Aborts when no caller wants any of it any more. */
function allAborted(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  const look = () => signals.every(({ aborted }) => aborted) && all.abort();
  for (const signal of signals) signal.addEventListener("abort", look, { once: true });
  look();
  return all.signal;
}
