import { AppError } from "../../core/error.ts";
import { imageCodec } from "../../core/image/mod.ts";
import type { ModelFacts } from "../../core/model/mod.ts";
import type { Hotkey } from "../../core/keys/mod.ts";
import { NO_INPUTS, TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import { decodeRequest, encodeRequest } from "../../core/request/mod.ts";
import {
  type Receipt,
  RECEIPT_VERSION,
  receiptId,
  signReceipt,
} from "../../core/transcript/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import {
  ClusterWorker,
  type GenerationTask,
  type ImageSource,
  type Job,
  type Made,
  MinerMetrics,
  type WorkerParts,
} from "../miner/mod.ts";

/** What a simulated GPU is asked for. */
const SIMULATED_REQUEST = { prompt: "", width: 64, height: 64, steps: 1, guidanceScale: 1 };

const DEFAULTS = { width: 64, height: 64, steps: 1, guidanceScale: 1 };
const MODEL: ModelFacts = {
  ...{ id: "simulated", manifest: "ab".repeat(32), precision: "float32" },
};
const TOKEN = "t".repeat(43);

/** A GPU that takes its time and computes nothing: one job after the other. */
class SimulatedGpu implements ImageSource {
  readonly compute = "simulated";
  readonly models = [{ ...MODEL, adapters: [], controls: [], defaults: DEFAULTS }];
  /** Jobs that it did. */
  done = 0;
  readonly #receipt: Receipt;
  readonly #ms: number;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(receipt: Receipt, ms: number) {
    this.#receipt = receipt;
    this.#ms = ms;
  }

  /** @param ms that an image takes. */
  static async open(hotkey: Hotkey, ms: number): Promise<SimulatedGpu> {
    const request = decodeRequest(SIMULATED_REQUEST, { ...DEFAULTS, seed: 0n });
    const receipt = await signReceipt({
      ...{ version: RECEIPT_VERSION, request: encodeRequest(request) as Receipt["request"] },
      ...{ model: MODEL, plan: "cd".repeat(32), steps: 1, latent: [4, 8, 8] },
      ...{ root: "ef".repeat(32), miner: hotkey.address, times: { started: 0, finished: 0 } },
      image: { sha256: "01".repeat(32), mediaType: "image/png", bytes: 10_000 },
    }, hotkey.sign);
    return new SimulatedGpu(receipt, ms);
  }

  capacity(): ReturnType<ImageSource["capacity"]> {
    return { batch: 1, queueLimit: 1, queued: 0, running: 0 };
  }

  requestOf(call: Parameters<ImageSource["requestOf"]>[0]): ReturnType<ImageSource["requestOf"]> {
    const request = decodeRequest(call.request, { ...DEFAULTS, seed: 0n });
    return Promise.resolve({ request });
  }

  async run({ signal }: Job<GenerationTask>): Promise<Made> {
    const run = this.#last.then(() => new Promise((resolve) => setTimeout(resolve, this.#ms)));
    this.#last = run;
    await run;
    if (signal?.aborted) throw new AppError("cancelled", "Cannot generate: it was cancelled");
    // Signed once: nobody here looks at the signature, and signing is no network's time.
    const receipt = { ...this.#receipt, times: { started: ++this.done, finished: Date.now() } };
    return { images: [{ id: receiptId(receipt), receipt, token: TOKEN }], notices: [] };
  }

  cancel(): boolean {
    return false;
  }

  opens(token: string): Promise<boolean> {
    return Promise.resolve(token === TOKEN);
  }

  receipt(): Promise<Receipt> {
    return Promise.resolve(this.#receipt);
  }

  open(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array());
  }

  image(): ReturnType<ImageSource["image"]> {
    return Promise.resolve({ bytes: new Uint8Array(), mediaType: "image/png" });
  }

  input(): ReturnType<ImageSource["input"]> {
    return Promise.resolve(new Uint8Array());
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A worker with a simulated GPU joins. */
export async function joinSimulated(
  cluster: Cluster,
  hotkey: Hotkey,
  { ms, ...more }: { readonly ms: number } & Pick<WorkerParts, "log" | "beatMs" | "speaks">,
): Promise<ClusterWorker> {
  const source = await SimulatedGpu.open(hotkey, ms);
  const self = hotkey.address;
  return await ClusterWorker.start({
    ...{ cluster, hotkey, ...more, host: "simulated", batch: 1, kept: [] },
    job: {
      ...{ source, metrics: new MinerMetrics(source), codec: imageCodec, self, log: more.log },
      checkRequest: () => {},
    },
    info: () => ({
      ...{ name: "stepwise-worker", version: "0", hotkey: self, compute: source.compute },
      ...{ models: source.models, capacity: source.capacity() },
      transcriptSeconds: TRANSCRIPT_SECONDS,
    }),
  });
}

/** A job of the simulated model. */
export function simulatedJob(
  id: string,
  owner: string,
  more: Partial<Job<GenerationTask>> = {},
): Job<GenerationTask> {
  const request = decodeRequest(SIMULATED_REQUEST, { ...DEFAULTS, seed: 0n });
  return {
    ...{ id, owner, ...more },
    task: {
      ...{ request, inputs: NO_INPUTS, format: "png", validator: owner, previews: false },
      onStep: () => {},
    },
  };
}
