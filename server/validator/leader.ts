import { reason } from "../../core/error.ts";
import type { Once } from "../cluster/mod.ts";
import { type Log, OnChange } from "../telemetry/mod.ts";
import { type Clock, stopwatch } from "./clock.ts";

interface LeaderParts {
  /** A table whose values are kept for {@link LEADER_SECONDS}. */
  readonly once: Once;
  /** What is led. */
  readonly key: string;
  /** Begins what only one process does, when it is this one. */
  readonly lead: () => Promise<AsyncDisposable>;
  readonly log: Log;
  /** Default: this machine's. */
  readonly clock?: Clock;
}

/** Seconds without a word of the leader after which another one leads. */
export const LEADER_SECONDS = 20;
/** Milliseconds from one word, or one look whether there is a leader, to the next. */
const BEAT_MS = 3000;
/** Milliseconds of a term without a renewal: it is ended before another begins. */
const TERM_MS = 1000 * LEADER_SECONDS - 4000;

/**
 * Has one process of several do something: who claims the key leads as long as it renews it. One
 * whose renewals do not arrive stops before another begins.
 */
export class Leader implements AsyncDisposable {
  readonly #parts: Required<LeaderParts>;
  readonly #id = crypto.randomUUID();
  readonly #stop = new AbortController();
  readonly #state: OnChange;
  readonly #running: Promise<void>;

  constructor({ clock = stopwatch, ...parts }: LeaderParts) {
    this.#parts = { ...parts, clock };
    this.#state = new OnChange(parts.log);
    this.#running = this.#run();
  }

  /** Ends what it does, and then lets another lead. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#term();
        this.#state.clear();
      } catch (error) {
        this.#state.say("not leading", { error: reason(error) }, "warn");
      }
      await clock.sleep(BEAT_MS, signal);
    }
  }

  /** From a claim to its end; at once over where another leads. */
  async #term(): Promise<void> {
    const { once, key, lead, log, clock } = this.#parts;
    const claimed = clock.now();
    if (!await once.claim(key, this.#id)) return;
    // An answer that took as long as a term: another may lead by now.
    if (clock.now() >= claimed + TERM_MS) return await once.release(key, this.#id);
    const end = new AbortController();
    const heard = this.#heard(claimed, AbortSignal.any([this.#stop.signal, end.signal]));
    log("leading", { key });
    try {
      await using _work = await lead();
      await heard;
    } finally {
      end.abort();
      await heard;
      log("no longer leading", { key });
      await once.release(key, this.#id);
    }
  }

  /** Renews the claim until that fails, for so long that another could lead, or it is to end. */
  async #heard(claimed: number, signal: AbortSignal): Promise<void> {
    const { once, key, clock } = this.#parts;
    let until = claimed + TERM_MS;
    while (!signal.aborted && clock.now() < until) {
      const asked = clock.now();
      const late = new AbortController();
      const renewed = await Promise.race([
        once.renew(key, this.#id).catch(() => undefined),
        clock.sleep(until - asked, late.signal).then(() => undefined),
      ]);
      late.abort();
      if (renewed === false) return;
      if (renewed) until = asked + TERM_MS;
      await clock.sleep(Math.min(BEAT_MS, Math.max(0, until - clock.now())), signal);
    }
  }
}
