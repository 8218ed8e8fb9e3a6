import { AppError, reason } from "../../core/error.ts";
import { encodeRequest, type GenerationRequest } from "../../core/request/mod.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import {
  type ImageAnswer,
  type InputFiles,
  NO_INPUTS,
  type Score,
  TRANSCRIPT_SECONDS,
} from "../../core/protocol/mod.ts";
import type { CheckedImage, CheckedStatement, Verdict } from "../../core/verifier/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { RetryLater } from "../http/mod.ts";
import { blameFor, isExcused } from "./blame.ts";
import type { Clock } from "./clock.ts";
import { firstGood } from "./first_good.ts";
import { furthest, type OnStep } from "./furthest.ts";
import type { Ledger, PendingCheck } from "./ledger/mod.ts";
import { MinerBusy } from "./miner_answer.ts";
import { type CheckedAnswer, type MinerCaller, MinerForged } from "./miner_caller.ts";
import type { Peer } from "./peers.ts";
import type { Scorer } from "./scorer.ts";
import { drawByRank, type Random, type Ranked } from "./selection.ts";

export interface ForwardOptions {
  /** Miners asked for one request, at most. */
  readonly miners: number;
  /** Milliseconds until another miner is asked as well as one that has not answered. */
  readonly hedgeMs: number;
  /** Milliseconds that each has. */
  readonly timeoutMs: number;
  /** That one request may ask for, in images of the model's default: no miner fails at what never ends. */
  readonly maxWork: number;
  /** Share of answers that are checked. */
  readonly checkShare: number;
  /** So many answers of a new miner are all checked. */
  readonly firstChecks: number;
}

/** Checks that are begun again at a time. */
const RESUMED = 8;

export const DEFAULT_FORWARD: ForwardOptions = {
  miners: 3,
  hedgeMs: 4000,
  timeoutMs: 60_000,
  maxWork: 32,
  checkShare: 0.25,
  firstChecks: 3,
};

interface ForwarderParts {
  readonly caller: Pick<MinerCaller, "generate" | "image" | "open">;
  readonly ledger: Ledger;
  readonly scorer: Scorer;
  /** The miners, with what they are worth. */
  readonly ranked: () => readonly Ranked<Peer>[];
  /** Of a request, in images of the model's default. */
  readonly work: (request: GenerationRequest) => number;
  /** Hears of what users ask for. */
  readonly asked?: (request: GenerationRequest, format: ImageFormat) => void;
  /** `manifestHash` of the model that is asked for. */
  readonly manifest: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  readonly options: ForwardOptions;
}

/** An image for a user. */
export interface Forwarded {
  readonly peer: Peer;
  readonly answer: ImageAnswer & Pick<CheckedAnswer, "witness">;
  /** The file's bytes. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** undefined when it was not drawn for a check. */
  readonly verdict: Verdict | undefined;
  /** To be called when its user may have it. */
  readonly shown?: () => void;
}

/** How a user waits. */
export interface Waiting {
  /** The files that the request names; none for one that names none. */
  readonly inputs?: InputFiles;
  readonly signal?: AbortSignal;
  /** Of the miner that is furthest, so never backwards; none once the image is there. */
  readonly onStep?: OnStep;
  /** Whether small pictures come with the steps. */
  readonly previews?: boolean;
}

interface Job {
  readonly id: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly format: ImageFormat;
  readonly inputs: InputFiles;
  readonly signal: AbortSignal | undefined;
  readonly onStep: ReturnType<typeof furthest>["take"] | undefined;
  readonly previews: boolean;
  /** In images of the model's default. */
  readonly work: number;
  /** Whether this image is the user's: the first who asks has made it, others were too late. */
  readonly take: () => boolean;
  /** Whether miners that failed are charged with it; known when the job has ended. */
  readonly charged: Promise<boolean>;
}

/** What is known of an answer besides its check; after a restart the files alone. */
interface Checking {
  readonly inputs: InputFiles;
  readonly statement?: CheckedStatement;
  readonly image?: CheckedImage;
  readonly take?: () => boolean;
}

/** Serves users through miners: several are asked, the first good image is taken. */
export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #running = new Set<Promise<unknown>>();
  /** Requests whose checks are being made. */
  readonly #checking = new Set<string>();

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
  }

  /** Requests to miners and checks that are under way. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * @throws RetryLater `no_miner` with what each said; AppError `cancelled`, or the refusal that all
   * miners agree on.
   */
  async generate(
    request: GenerationRequest,
    format: ImageFormat,
    { inputs = NO_INPUTS, signal, onStep, previews = false }: Waiting = {},
  ): Promise<Forwarded> {
    const { ranked, options, random, clock, work, asked } = this.#parts;
    asked?.(request, format);
    const peers = drawByRank(ranked(), options.miners, random);
    const { promise: charged, resolve: charge } = Promise.withResolvers<boolean>();
    const id = crypto.randomUUID();
    const steps = onStep && furthest(onStep);
    const job = {
      ...{ id, request: encodeRequest(request), format, inputs, signal, charged },
      ...{ work: work(request), take: once() },
      ...{ onStep: steps?.take, previews },
    };
    const attempts = peers.map((peer) => () => this.#follow(this.#attempt(peer, job)));
    const result = await firstGood(attempts, options.hedgeMs, clock);
    steps?.end();
    if ("value" in result) {
      charge(true);
      return result.value;
    }
    const blame = blameFor(result.errors);
    charge(blame.charged);
    if (signal?.aborted) throw new AppError("cancelled", "Cannot generate: it was cancelled");
    if (blame.request) throw blame.request;
    const why = result.errors.map(reason).join("; ") || "none serves";
    throw new RetryLater(
      "no_miner",
      `Cannot generate: no miner gave a good image (${why})`,
      RETRY_SECONDS,
    );
  }

  /**
   * Makes the checks that were begun before a restart, or that failed by our own fault. Where the
   * steps are no longer kept nothing can be checked, and the answer counts as served.
   */
  async resume(): Promise<void> {
    const { ledger, clock, log } = this.#parts;
    const pending = ledger.checks.pending().filter((check) => !this.#checking.has(keyOf(check)));
    const isOpen = ({ receipt }: typeof pending[number]) =>
      clock.now() - receipt.times.finished <= 1000 * TRANSCRIPT_SECONDS;
    for (const { id, hotkey, work } of pending.filter((check) => !isOpen(check))) {
      log("check given up", { id, hotkey, why: "its steps are no longer there" }, "warn");
      ledger.checks.excuse(id, hotkey, work);
    }
    const some = pending.filter(isOpen).slice(0, RESUMED);
    await Promise.all(
      some.map((check) => this.#check(check, { inputs: ledger.checks.inputsOf(check.id) })),
    );
  }

  /** @returns when all that was begun is settled. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running]);
  }

  #follow<T>(attempt: Promise<T>): Promise<T> {
    const end = attempt.then(() => {}, () => {}).finally(() => this.#running.delete(end));
    this.#running.add(end);
    return attempt;
  }

  async #attempt(peer: Peer, job: Job): Promise<Forwarded> {
    const { ledger, log } = this.#parts;
    try {
      const { answer, image } = await this.#ask(peer, job);
      const verdict = await this.#judge(peer, job, answer, image);
      return { peer, answer, image: image.bytes, verdict };
    } catch (error) {
      const answered = { id: job.id, hotkey: peer.hotkey };
      if (error instanceof MinerForged) {
        ledger.checks.settle({ ...answered, source: "user", score: error.score }, {
          ...{ work: job.work, taken: false },
        });
      } else if (error instanceof MinerBusy) {
        this.#refused(peer, job, error);
      } else if (!isExcused(error)) {
        void this.#follow(this.#charge(peer, job, error));
      }
      log("not served", { id: job.id, uid: peer.uid, why: reason(error) }, "warn");
      throw error;
    }
  }

  /** Not before it is known whether the others failed alike. */
  async #charge(peer: Peer, { id, charged, work }: Job, error: unknown): Promise<void> {
    // A check that failed has settled it already.
    if (await charged) this.#parts.ledger.results.failed(id, peer.hotkey, reason(error), work);
  }

  /**
   * Fails it as far as it had room by its own tests. What other validators ask of it nobody sees here: a
   * miner may be full in earnest, as all others may.
   */
  #refused({ hotkey }: Peer, { id, work }: Job, error: unknown): void {
    const { ledger, caller } = this.#parts;
    const { carried } = ledger.metrics(hotkey);
    const free = carried > 0 ? 1 - caller.open(hotkey) / carried : 0;
    if (free > 0) ledger.results.refused(id, hotkey, reason(error), free * work);
  }

  async #ask(peer: Peer, { request, format, inputs, signal, onStep, previews }: Job) {
    const { caller, manifest, options: { timeoutMs } } = this.#parts;
    const asked = { request, format, inputs, manifest, timeoutMs, signal, onStep, previews };
    const answer = await caller.generate(peer, asked);
    // The same request may honestly have the same root; a test's must be new.
    this.#parts.ledger.roots.add(answer.receipt.root);
    return { answer, image: await caller.image(peer, answer, timeoutMs) };
  }

  /** Checks it if it is drawn. @throws AppError `miner_failed` for an image that is not honest. */
  async #judge(
    peer: Peer,
    { id, work, inputs, take }: Job,
    { id: receiptId, receipt, token, statement, witness }: CheckedAnswer,
    image: CheckedImage,
  ): Promise<Verdict | undefined> {
    const { ledger, random, options } = this.#parts;
    const { hotkey, url } = peer;
    ledger.doubts.made(receiptId, hotkey);
    const known = ledger.checks.count(hotkey) >= options.firstChecks &&
      !ledger.wantsRetest(hotkey);
    if (known && random() >= options.checkShare) {
      if (take()) ledger.results.served(id, hotkey, work);
      return undefined;
    }
    const check = { id, hotkey, receipt, url, token, work, witness };
    ledger.checks.await(check, inputs);
    const score = await this.#check(check, { inputs, statement, image, take });
    if (!score) return undefined;
    if (score.verdict === "honest") return "honest";
    throw new AppError(
      "miner_failed",
      `Cannot use uid ${peer.uid}: ${score.reasons[0] ?? score.verdict}`,
    );
  }

  /** @returns undefined where the fault is ours: then it stays to be checked. */
  async #check(
    check: PendingCheck,
    { inputs, statement, image, take = () => true }: Checking,
  ): Promise<Score | undefined> {
    const { ledger, scorer, log } = this.#parts;
    const { id, hotkey, receipt, url, token, work } = check;
    this.#checking.add(keyOf(check));
    try {
      const answered = { id, hotkey, work };
      const score = await scorer({ receipt, statement, url, token, inputs, answered }, image);
      const taken = score.verdict === "honest" && take();
      ledger.checks.settle({ id, hotkey, source: "user", score }, { work, taken });
      return score;
    } catch (error) {
      log("check not made", { id, hotkey, error: reason(error) }, "warn");
      return undefined;
    } finally {
      this.#checking.delete(keyOf(check));
    }
  }
}

/** @returns true the first time. */
function once(): () => boolean {
  let times = 0;
  return () => times++ === 0;
}

function keyOf({ id, hotkey }: Pick<PendingCheck, "id" | "hotkey">): string {
  return `${id} ${hotkey}`;
}

/** After which miners that were busy are worth another try. */
const RETRY_SECONDS = 10;
