import { hostname } from "node:os";
import { TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import { ThreadCodec } from "../compute/mod.ts";
import { VERSION } from "../neuron/mod.ts";
import { takeFolder } from "../storage/mod.ts";
import { ClusterWorker } from "./cluster_worker.ts";
import { MinerMetrics } from "./metrics.ts";
import {
  type GeneratorOptions,
  openGenerator,
  openTranscripts,
  type TranscriptOptions,
} from "./open_generator.ts";

export interface WorkerOptions
  extends Omit<GeneratorOptions, "tokens" | "store" | "queue">, TranscriptOptions {
  /** Its caller closes it. */
  readonly cluster: Cluster;
  /** The machine's name; default: as it calls itself. */
  readonly host?: string;
  /** Milliseconds from one sign of life to the next. */
  readonly beatMs?: number;
}

/** A worker of this process. */
export interface RunningWorker extends AsyncDisposable {
  readonly id: string;
  /** Jobs that are here. */
  readonly running: () => number;
  /** Resolves when its machine is asked to leave. */
  readonly drained: Promise<void>;
}

/**
 * Starts a worker: model, warm-up, and then the cluster's jobs.
 * @throws AppError that says in one line what is missing and what to do.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  await using stack = new AsyncDisposableStack();
  const { cluster, folder, log, batch, wallet: { hotkey } } = options;
  stack.use(await takeFolder(folder, ["miner"]));
  let forget = (_id: string) => {};
  const kept = { ...options, onEvict: (id: string) => forget(id) };
  const { tokens, store } = await openTranscripts(kept, stack);
  const codec = stack.use(new ThreadCodec());
  // All that is taken at a time has a place.
  const source = await openGenerator({ ...options, tokens, store, queue: batch }, codec, stack);
  const self = hotkey.address;
  const metrics = new MinerMetrics(source);
  const worker = stack.use(
    await ClusterWorker.start({
      ...{ cluster, hotkey, batch, log, kept: store.ids, beatMs: options.beatMs },
      host: options.host ?? hostname(),
      job: { source, metrics, codec, self, log, checkRequest: () => {} },
      info: () => ({
        ...{ name: "stepwise-worker", version: VERSION, hotkey: self },
        ...{ compute: source.compute, models: source.models, capacity: source.capacity() },
        transcriptSeconds: TRANSCRIPT_SECONDS,
      }),
    }),
  );
  forget = (id) => worker.forget(id);
  const owned = stack.move();
  return {
    ...{ id: worker.id, drained: worker.drained, running: () => worker.running },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
