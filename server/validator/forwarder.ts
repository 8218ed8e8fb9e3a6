import { AppError, reason } from "../../core/error.ts";
import { encodeRequest, type GenerationRequest } from "../../core/request/mod.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import { type ImageAnswer, type Score, TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import type { CheckedImage, CheckedStatement, Verdict } from "../../core/verifier/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { RetryLater } from "../http/mod.ts";
import { blameFor, isExcused } from "./blame.ts";
import type { Clock } from "./clock.ts";
import { firstGood } from "./first_good.ts";
import { furthest, type OnStep } from "./furthest.ts";
import type { Ledger, PendingCheck } from "./ledger/mod.ts";
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

export const DEFAULT_FORWARD: ForwardOptions = {
  miners: 3,
  hedgeMs: 4000,
  timeoutMs: 60_000,
  maxWork: 32,
  checkShare: 0.25,
  firstChecks: 3,
};

interface ForwarderParts {
  readonly caller: Pick<MinerCaller, "generate" | "image">;
  readonly ledger: Ledger;
  readonly scorer: Scorer;
  /** The miners, with what they are worth. */
  readonly ranked: () => readonly Ranked<Peer>[];
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
  readonly answer: ImageAnswer;
  /** The file's bytes. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** undefined when it was not drawn for a check. */
  readonly verdict: Verdict | undefined;
}

/** How a user waits. */
export interface Waiting {
  readonly signal?: AbortSignal;
  /** Of the miner that is furthest, so never backwards; none once the image is there. */
  readonly onStep?: OnStep;
}

interface Job {
  readonly id: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly format: ImageFormat;
  readonly signal: AbortSignal | undefined;
  readonly onStep: OnStep | undefined;
  /** Whether miners that failed are charged with it; known when the job has ended. */
  readonly charged: Promise<boolean>;
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
    { signal, onStep }: Waiting = {},
  ): Promise<Forwarded> {
    const { ranked, options, random, clock } = this.#parts;
    const peers = drawByRank(ranked(), options.miners, random);
    const { promise: charged, resolve: charge } = Promise.withResolvers<boolean>();
    const id = crypto.randomUUID();
    const steps = onStep && furthest(onStep);
    const job = {
      ...{ id, request: encodeRequest(request), format, signal, charged },
      onStep: steps?.take,
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
    for (const check of ledger.checks.pending()) {
      const { id, hotkey, receipt } = check;
      if (this.#checking.has(keyOf(check))) continue;
      if (clock.now() - receipt.times.finished <= 1000 * TRANSCRIPT_SECONDS) {
        await this.#check(check);
        continue;
      }
      log("check given up", { id, hotkey, why: "its steps are no longer there" }, "warn");
      ledger.checks.excuse(id, hotkey);
    }
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
        ledger.checks.settle({ ...answered, source: "user", score: error.score });
      } else if (!isExcused(error)) {
        void this.#follow(this.#charge(peer, job, error));
      }
      log("not served", { id: job.id, uid: peer.uid, why: reason(error) }, "warn");
      throw error;
    }
  }

  /** Not before it is known whether the others failed alike. */
  async #charge(peer: Peer, { id, charged }: Job, error: unknown): Promise<void> {
    // A check that failed has settled it already.
    if (await charged) this.#parts.ledger.results.failed(id, peer.hotkey, reason(error));
  }

  async #ask(peer: Peer, { request, format, signal, onStep }: Job) {
    const { caller, manifest, options: { timeoutMs } } = this.#parts;
    const asked = { request, format, manifest, timeoutMs, signal, onStep };
    const answer = await caller.generate(peer, asked);
    return { answer, image: await caller.image(peer, answer, timeoutMs) };
  }

  /** Checks it if it is drawn. @throws AppError `miner_failed` for an image that is not honest. */
  async #judge(
    peer: Peer,
    { id }: Job,
    { receipt, token, statement }: CheckedAnswer,
    image: CheckedImage,
  ): Promise<Verdict | undefined> {
    const { ledger, random, options } = this.#parts;
    const { hotkey, url } = peer;
    const known = ledger.checks.count(hotkey) >= options.firstChecks;
    if (known && random() >= options.checkShare) {
      ledger.results.served(id, hotkey);
      return undefined;
    }
    const check = { id, hotkey, receipt, url, token };
    ledger.checks.await(check);
    const score = await this.#check(check, { statement, image });
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
    { statement, image }: { readonly statement?: CheckedStatement; readonly image?: CheckedImage } =
      {},
  ): Promise<Score | undefined> {
    const { ledger, scorer, log } = this.#parts;
    const { id, hotkey, receipt, url, token } = check;
    this.#checking.add(keyOf(check));
    try {
      const score = await scorer({ receipt, statement, url, token }, image);
      ledger.checks.settle({ id, hotkey, source: "user", score });
      return score;
    } catch (error) {
      log("check not made", { id, hotkey, error: reason(error) }, "warn");
      return undefined;
    } finally {
      this.#checking.delete(keyOf(check));
    }
  }
}

function keyOf({ id, hotkey }: Pick<PendingCheck, "id" | "hotkey">): string {
  return `${id} ${hotkey}`;
}

/** After which miners that were busy are worth another try. */
const RETRY_SECONDS = 10;
