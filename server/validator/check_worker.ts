import { reason } from "../../core/error.ts";
import { type Score, TRANSCRIPT_SECONDS } from "../../core/protocol/mod.ts";
import { type Blobs, type Cluster, type Once, type Work, WORK_OPTIONS } from "../cluster/mod.ts";
import { filesNamed } from "../miner/mod.ts";
import { type Log, traced } from "../telemetry/mod.ts";
import {
  CHECK_SECONDS,
  decodeCheck,
  FILES,
  filesOf,
  type Outcome,
  SCORES,
  scoreSubject,
} from "./check_messages.ts";
import { measuredAnswer, measuredCheck, whyOf } from "./ledger/mod.ts";
import type { AnsweredUser, Scorer } from "./scorer.ts";
import { appendMeasured } from "./shared_results.ts";

interface CheckWorkerParts {
  readonly cluster: Cluster;
  /** As `checksOf`. */
  readonly kind: string;
  /** SS58 of the validator. */
  readonly of: string;
  readonly scorer: Scorer;
  readonly log: Log;
  /** Milliseconds from one sign of life to the next. */
  readonly beatMs?: number;
}

/** Checks at a time: while one waits for its miner, another has the network. */
const TOGETHER = 8;
const TAKE_MS = 10_000;
const PAUSE_MS = 1000;
const BEAT_MS = 5000;

/** Makes checks of a validator's other processes, with a scorer of this one. */
export class CheckWorker implements AsyncDisposable {
  readonly #parts: CheckWorkerParts;
  readonly #scores: Once;
  readonly #files: Blobs;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  private constructor(parts: CheckWorkerParts, scores: Once, files: Blobs) {
    this.#parts = parts;
    this.#scores = scores;
    this.#files = files;
    this.#running = Promise.all(Array.from({ length: TOGETHER }, () => this.#work()));
  }

  static async start(parts: CheckWorkerParts): Promise<CheckWorker> {
    const scores = await parts.cluster.once(SCORES, CHECK_SECONDS);
    return new CheckWorker(parts, scores, await parts.cluster.blobs(FILES, CHECK_SECONDS));
  }

  /** Takes no more, and finishes what runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #work(): Promise<void> {
    const { cluster, kind, log } = this.#parts;
    const { signal } = this.#stop;
    const onDead = ({ id }: { readonly id: string }) => {
      log("check_dead", { id, why: "it was taken as often as one may be, and not made" }, "error");
      return Promise.resolve(this.#say(id, { failed: "its scorers died" }));
    };
    while (!signal.aborted) {
      try {
        const work = await cluster.work.take(kind, 1, { waitMs: TAKE_MS, signal, onDead });
        for (const each of work) await this.#do(each);
      } catch (error) {
        log("take_failed", { error: reason(error) }, "warn");
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  async #do(work: Work): Promise<void> {
    const beat = setInterval(() => work.beat(), this.#parts.beatMs ?? BEAT_MS);
    try {
      const make = () => this.#make(work);
      const { id, delivery, trace } = work;
      if (await this.#scores.get(id) === undefined) {
        await traced("scoring", { id, delivery }, make, trace);
      }
      await work.done();
    } catch (error) {
      const { id, delivery } = work;
      this.#parts.log("check not made", { id, delivery, error: reason(error) }, "warn");
      if (delivery < WORK_OPTIONS.deliveries) return await work.giveBack();
      // Who asked may ask again: nothing is known of the answer.
      this.#say(id, { failed: reason(error) });
      await work.done();
    } finally {
      clearInterval(beat);
    }
  }

  /** What came of it is safe before the check is done. */
  async #make({ id, body }: Work): Promise<void> {
    const { answer, asked } = decodeCheck(body);
    if (Date.now() - asked > 1000 * TRANSCRIPT_SECONDS) {
      // It waited here for too long, for which no miner is to blame.
      return this.#say(id, { failed: "its steps are no longer there" });
    }
    // As far as they are there; the others are the miner's to give.
    const inputs = await filesNamed(this.#files, id, filesOf(answer));
    const score = await this.#parts.scorer({ ...answer, inputs });
    if (answer.answered) await this.#keep(answer.answered, score);
    if (await this.#scores.claim(id, JSON.stringify({ score }))) this.#say(id, { score });
  }

  /** A miner that has failed its user has, also when who asked for the check is gone. */
  async #keep({ id, hotkey, work }: AnsweredUser, score: Score): Promise<void> {
    const { cluster: { results }, of } = this.#parts;
    const at = Date.now();
    await appendMeasured(results, of, measuredCheck({ id, hotkey, source: "user", score }, at));
    if (score.verdict === "honest") return;
    const failed = { id, hotkey, outcome: "failed", work, why: whyOf(score) } as const;
    await appendMeasured(results, of, measuredAnswer(failed, at));
  }

  /** To who waits for it. */
  #say(id: string, outcome: Outcome): void {
    const bytes = new TextEncoder().encode(JSON.stringify(outcome));
    this.#parts.cluster.bus.publish(scoreSubject(id), bytes);
  }
}
