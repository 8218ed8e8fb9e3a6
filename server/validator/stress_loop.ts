import { reason } from "../../core/error.ts";
import type { Log } from "../telemetry/mod.ts";
import type { Ledger } from "./ledger.ts";
import type { Peer } from "./peers.ts";
import { drawForTest, type Random, type Testable } from "./selection.ts";
import type { Knocked, StressResult } from "./stress_ramp.ts";

interface StressLoopParts {
  readonly ledger: Ledger;
  readonly peers: () => readonly Peer[];
  /** One request: whether it is answered at all, in time. */
  readonly knock: (peer: Peer, signal: AbortSignal) => Promise<Knocked>;
  readonly test: (peer: Peer, signal: AbortSignal) => Promise<StressResult>;
  /** Shows a receipt to anybody. */
  readonly publish: (peer: Peer, result: StressResult) => void;
  readonly random: Random;
  readonly clock: () => number;
  /** Miners tested side by side. */
  readonly together: number;
  /** Milliseconds until a miner is tested again, unless the queue asks for it. */
  readonly restMs: number;
  readonly log: Log;
}

/** Milliseconds from looking whom to test to looking again, when nobody is due. */
const PAUSE_MS = 500;
/** Miners that are waited for at once: those that never answer cost one timeout together. */
const KNOCKS = 256;
/**
 * A miner that is busy with others is asked again after a while, but who is busy each time, for a
 * quarter of an hour, is as good as not there: else a door that is always shut would evade tests.
 */
const BUSY_MS = 30_000;
const BUSY_KNOCKS = 30;

/**
 * Tests miners without end. Each is asked for one image first, all that are due at once; only those
 * that answer take a place among the few that are put under load.
 */
export class StressLoop implements AsyncDisposable {
  readonly #parts: StressLoopParts;
  readonly #busy = new Set<string>();
  readonly #ready: Peer[] = [];
  readonly #running = new Set<Promise<void>>();
  /** Miners that had no room: how often in a row, and when to ask again. */
  readonly #turnedAway = new Map<string, { readonly times: number; readonly until: number }>();
  readonly #stop = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #loaded = 0;

  constructor(parts: StressLoopParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#look(), PAUSE_MS);
    this.#look();
  }

  /** What runs is given up: nothing is recorded of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #look(): void {
    let due = this.#due();
    while (this.#busy.size - this.#loaded < KNOCKS) {
      const peer = drawForTest(due, this.#parts.random);
      if (!peer) return;
      due = due.filter((each) => each.peer !== peer);
      this.#busy.add(peer.hotkey);
      this.#follow(this.#knock(peer));
    }
  }

  #due(): Testable<Peer>[] {
    const { ledger, peers, clock, restMs } = this.#parts;
    const now = clock();
    const places = new Map(ledger.queued().map((hotkey, place) => [hotkey, place]));
    const tested = ledger.testedAt();
    return peers().flatMap((peer) => {
      const { hotkey } = peer;
      const [at, queued] = [tested.get(hotkey), places.get(hotkey)];
      const sinceTest = at === undefined ? undefined : now - at;
      const rests = sinceTest !== undefined && sinceTest < restMs && queued === undefined;
      const away = (this.#turnedAway.get(hotkey)?.until ?? 0) > now;
      return rests || away || this.#busy.has(hotkey) ? [] : [{ peer, queued, sinceTest }];
    });
  }

  #follow(work: Promise<void>): void {
    const end = work.finally(() => this.#running.delete(end));
    this.#running.add(end);
  }

  async #knock(peer: Peer): Promise<void> {
    const { knock, log } = this.#parts;
    const answer = await knock(peer, this.#stop.signal).catch((error) => {
      log("not tested", { uid: peer.uid, error: reason(error) });
      return undefined;
    });
    const seen = answer === "busy" ? this.#turnAway(peer) : answer;
    if (seen !== "busy") this.#turnedAway.delete(peer.hotkey);
    if (seen === "answers") {
      this.#ready.push(peer);
      return this.#fill();
    }
    if (seen === "silent") this.#recordSilence(peer);
    this.#busy.delete(peer.hotkey);
  }

  #turnAway({ uid, hotkey }: Peer): Knocked {
    const { clock, log } = this.#parts;
    const times = 1 + (this.#turnedAway.get(hotkey)?.times ?? 0);
    if (times >= BUSY_KNOCKS) return "silent";
    this.#turnedAway.set(hotkey, { times, until: clock() + BUSY_MS });
    log("not tested", { uid, error: "it is busy", times });
    return "busy";
  }

  #recordSilence({ uid, hotkey }: Peer): void {
    const { ledger, log } = this.#parts;
    const load = { requestsPerSecond: 0, errorRate: 1, requests: 1 };
    ledger.addTest(hotkey, { ...load, id: crypto.randomUUID() }, []);
    log("tested", { uid, rps: 0, errorRate: 1, verdicts: [] });
  }

  /** Puts those that answer under load, as many as may be at once. */
  #fill(): void {
    while (!this.#stop.signal.aborted && this.#loaded < this.#parts.together) {
      const peer = this.#ready.shift();
      if (!peer) return;
      this.#loaded++;
      this.#follow(this.#load(peer));
    }
  }

  async #load(peer: Peer): Promise<void> {
    const { ledger, test, publish, clock, log } = this.#parts;
    try {
      const result = await test(peer, this.#stop.signal);
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
      // The trouble is ours, most often a checker that is down: the miner has a rest.
      this.#turnedAway.set(peer.hotkey, { times: 0, until: clock() + BUSY_MS });
    } finally {
      this.#loaded--;
      this.#busy.delete(peer.hotkey);
      this.#fill();
    }
  }
}
