import { reason } from "../../core/error.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer } from "./peers.ts";
import { drawForTest, type Random } from "./selection.ts";
import type { StressResult } from "./stress_test.ts";

interface StressLoopParts {
  readonly ledger: Ledger;
  readonly peers: () => readonly Peer[];
  /** One request: whether it is answered at all, in time. */
  readonly knock: (peer: Peer) => Promise<boolean>;
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
/** Miners that are waited for at once: those that never answer cost one timeout together. */
const KNOCKS = 256;

/**
 * Tests miners without end. Each is asked for one image first, all that are due at once; only those
 * that answer take a place among the few that are put under load.
 */
export class StressLoop implements AsyncDisposable {
  readonly #parts: StressLoopParts;
  readonly #busy = new Set<string>();
  readonly #ready: Peer[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #loaded = 0;
  #stopped = false;

  constructor(parts: StressLoopParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#look(), PAUSE_MS);
    this.#look();
  }

  /** Lets what runs end: its answers were paid for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #look(): void {
    while (!this.#stopped && this.#busy.size - this.#loaded < KNOCKS) {
      const peer = this.#draw();
      if (!peer) return;
      this.#busy.add(peer.hotkey);
      this.#follow(this.#knock(peer));
    }
  }

  #draw(): Peer | undefined {
    const { ledger, peers, random, clock, restMs } = this.#parts;
    const queue = ledger.queued();
    const due = peers().filter(({ hotkey }) => !this.#busy.has(hotkey)).flatMap((peer) => {
      const at = ledger.testedAt(peer.hotkey);
      const place = queue.indexOf(peer.hotkey);
      const sinceTest = at === undefined ? undefined : clock() - at;
      const queued = place >= 0 ? place : undefined;
      const rests = sinceTest !== undefined && sinceTest < restMs && queued === undefined;
      return rests ? [] : [{ peer, queued, sinceTest }];
    });
    return drawForTest(due, random);
  }

  #follow(work: Promise<void>): void {
    const end = work.finally(() => this.#running.delete(end));
    this.#running.add(end);
  }

  async #knock(peer: Peer): Promise<void> {
    const { ledger, knock, log } = this.#parts;
    const answers = await knock(peer).catch((error) => {
      log("not tested", { uid: peer.uid, error: reason(error) });
      return undefined;
    });
    if (answers) {
      this.#ready.push(peer);
      return this.#fill();
    }
    if (answers === false) {
      const id = crypto.randomUUID();
      ledger.addTest(peer.hotkey, { id, requestsPerSecond: 0, errorRate: 1, requests: 1 }, []);
      log("tested", { uid: peer.uid, rps: 0, errorRate: 1, verdicts: [] });
    }
    this.#busy.delete(peer.hotkey);
  }

  /** Puts those that answer under load, as many as may be at once. */
  #fill(): void {
    while (!this.#stopped && this.#loaded < this.#parts.together) {
      const peer = this.#ready.shift();
      if (!peer) return;
      this.#loaded++;
      this.#follow(this.#load(peer));
    }
  }

  async #load(peer: Peer): Promise<void> {
    const { ledger, test, publish, log } = this.#parts;
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
    } finally {
      this.#loaded--;
      this.#busy.delete(peer.hotkey);
      this.#fill();
    }
  }
}
