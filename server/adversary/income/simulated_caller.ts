import { AppError } from "../../../core/error.ts";
import { encodeImage, toRgba } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import {
  fileHash,
  type Receipt,
  RECEIPT_VERSION,
  signReceipt,
} from "../../../core/transcript/mod.ts";
import {
  type CheckedImage,
  type CheckedStatement,
  checkImage,
  checkStatement,
} from "../../../core/verifier/mod.ts";
import {
  type Asked,
  type CheckedAnswer,
  FETCH_MS,
  MinerBusy,
  type Peer,
  type Scorer,
} from "../../validator/mod.ts";
import type { SimulatedSubnet, Simulation } from "./simulated_subnet.ts";
import type { Answer } from "./strategies.ts";

/** What every answer shows, since nobody looks at it. */
interface Sample {
  readonly receipt: Receipt;
  readonly statement: CheckedStatement;
  readonly image: CheckedImage;
}

const REQUEST = { width: 64, height: 64, steps: 4, seed: "7", batch: 1 as const };

async function openSample(): Promise<Sample> {
  const { width, height } = REQUEST;
  const pixels = new Float32Array(3 * width * height);
  const bytes = await encodeImage(toRgba(pixels, width, height), "png");
  const hotkey = openHotkey(undefined);
  const receipt = await signReceipt({
    ...{ version: RECEIPT_VERSION, request: REQUEST, plan: "cd".repeat(32), steps: REQUEST.steps },
    model: { id: "simulated", manifest: "ab".repeat(32), precision: "float32" },
    ...{ latent: [4, 8, 8], root: "ef".repeat(32), miner: hotkey.address },
    image: { sha256: fileHash(bytes), mediaType: "image/png", bytes: bytes.length },
    times: { started: 0, finished: 0 },
  }, hotkey.sign);
  const image = checkImage({ receipt }, bytes);
  return { receipt, image, statement: checkStatement(receipt, {}) };
}

/** Calls simulated miners, and checks what they made. */
export class SimulatedCaller {
  readonly #subnet: SimulatedSubnet;
  readonly #simulation: Simulation;
  readonly #sample: Sample;
  readonly #tests: WeakMap<object, number>;
  readonly #made = new WeakMap<Receipt, Exclude<Answer, string>>();
  readonly #open = new Map<string, number>();
  #ids = 0;

  private constructor(
    subnet: SimulatedSubnet,
    simulation: Simulation,
    sample: Sample,
    tests: WeakMap<object, number>,
  ) {
    this.#subnet = subnet;
    this.#simulation = simulation;
    this.#sample = sample;
    this.#tests = tests;
  }

  /** @param tests requests that are tests, and their work; all others are users'. */
  static async open(
    subnet: SimulatedSubnet,
    simulation: Simulation,
    tests: WeakMap<object, number>,
  ): Promise<SimulatedCaller> {
    return new SimulatedCaller(subnet, simulation, await openSample(), tests);
  }

  async generate(peer: Peer, asked: Asked): Promise<CheckedAnswer> {
    this.#open.set(peer.hotkey, this.open(peer.hotkey) + 1);
    try {
      return this.#checked(await this.#answer(peer, asked), asked.signal);
    } finally {
      this.#open.set(peer.hotkey, this.open(peer.hotkey) - 1);
    }
  }

  async #answer({ uid }: Peer, { request, timeoutMs, signal }: Asked): Promise<Answer> {
    const work = this.#tests.get(request);
    if (work !== undefined && signal) {
      return await this.#subnet.answer(uid, { work, isTest: true, signal });
    }
    const [late, given] = [new AbortController(), new AbortController()];
    void this.#simulation.clock.sleep(timeoutMs, given.signal).then(() => late.abort());
    const answer = this.#subnet.answer(uid, { work: 1, isTest: false, signal: late.signal });
    return await answer.finally(() => given.abort());
  }

  #checked(answer: Answer, signal: AbortSignal | undefined): CheckedAnswer {
    if (answer === "refused") throw new MinerBusy("miner_failed", "Cannot ask now: it is full");
    if (answer === "called off") {
      throw new AppError(
        signal?.aborted ? "cancelled" : "miner_failed",
        "Cannot use it: it is late",
      );
    }
    const id = String(this.#ids++);
    const receipt = { ...this.#sample.receipt, root: id };
    this.#made.set(receipt, answer);
    return { id, token: "t", receipt, statement: this.#sample.statement };
  }

  image(): Promise<CheckedImage> {
    return Promise.resolve(this.#sample.image);
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  open(hotkey: string): number {
    return this.#open.get(hotkey) ?? 0;
  }

  /** By what is known of how the image was made. */
  readonly scorer: Scorer = async ({ receipt }) => {
    const answer = this.#made.get(receipt);
    if (!answer?.opens) {
      await this.#simulation.clock.sleep(FETCH_MS);
      return { ...NOTHING, verdict: "withheld", reasons: ["late"] };
    }
    if (this.#simulation.random() < answer.passes) {
      return { verdict: "honest", similarity: 1, velocityError: 0, worst: 0, reasons: [] };
    }
    return { ...NOTHING, verdict: "suspect", reasons: ["a step"] };
  };
}

const NOTHING = { similarity: 0, velocityError: null, worst: null };
