import { reason } from "../../core/error.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer } from "./peers.ts";
import { drawForTest, type Random } from "./selection.ts";
import type { StressResult } from "./stress_test.ts";

interface StressLoopParts {
  readonly ledger: Ledger;
  readonly peers: () => readonly Peer[];
  readonly test: (peer: Peer) => Promise<StressResult>;
  /** Shows a receipt to anybody. */
  readonly publish: (peer: Peer, result: StressResult) => void;
  readonly random: Random;
  readonly clock: () => number;
  /** Miners tested side by side. */
  readonly together: number;
  /** Milliseconds until a miner is tested again, unless the queue asks for it. */
  readonly restMs: number;
  readonly log: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Milliseconds from looking whom to test to looking again, when nobody is due. */
const PAUSE_MS = 500;

/** Tests miners without end, several side by side: one that never answers holds up no other. */
export class StressLoop implements AsyncDisposable {
  readonly #parts: StressLoopParts;
  readonly #testing = new Set<string>();
  readonly #lanes: Promise<void>[];
  readonly #stop = new AbortController();

  constructor(parts: StressLoopParts) {
    this.#parts = parts;
    this.#lanes = Array.from({ length: parts.together }, () => this.#lane());
  }

  /** Lets what runs end: its answers were paid for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#lanes);
  }

  async #lane(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const peer = this.#next();
      if (peer) await this.#run(peer);
      else await pause(PAUSE_MS, signal);
    }
  }

  #next(): Peer | undefined {
    const { ledger, peers, random, clock, restMs } = this.#parts;
    const queue = ledger.queued();
    const due = peers().filter(({ hotkey }) => !this.#testing.has(hotkey)).flatMap((peer) => {
      const at = ledger.testedAt(peer.hotkey);
      const place = queue.indexOf(peer.hotkey);
      const sinceTest = at === undefined ? undefined : clock() - at;
      const queued = place >= 0 ? place : undefined;
      const rests = sinceTest !== undefined && sinceTest < restMs && queued === undefined;
      return rests ? [] : [{ peer, queued, sinceTest }];
    });
    return drawForTest(due, random);
  }

  async #run(peer: Peer): Promise<void> {
    const { ledger, test, publish, log } = this.#parts;
    this.#testing.add(peer.hotkey);
    try {
      const result = await test(peer);
      ledger.addTest(peer.hotkey, result.test, result.checks);
      publish(peer, result);
      log("tested", {
        uid: peer.uid,
        rps: result.test.requestsPerSecond,
        errorRate: result.test.errorRate,
        verdicts: result.checks.map(({ score }) => score.verdict),
      });
    } catch (error) {
      log("not tested", { uid: peer.uid, error: reason(error) });
      await pause(PAUSE_MS, this.#stop.signal);
    } finally {
      this.#testing.delete(peer.hotkey);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  }, { once: true });
  return promise;
}
