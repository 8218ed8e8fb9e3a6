import { reason } from "../../core/error.ts";
import type { Log } from "../telemetry/mod.ts";
import type { Ledger } from "./ledger/mod.ts";
import type { Peer } from "./peers.ts";
import { drawForTest, type Random, type Testable } from "./selection.ts";
import type { ProbeOutcome, StressResult } from "./stress_ramp.ts";

interface StressLoopParts {
  readonly ledger: Ledger;
  readonly peers: () => readonly Peer[];
  /** One request: whether it is answered at all, in time. */
  readonly probe: (peer: Peer, signal: AbortSignal) => Promise<ProbeOutcome>;
  readonly test: (peer: Peer, signal: AbortSignal) => Promise<StressResult>;
  /** Publishes a receipt. */
  readonly publish: (peer: Peer, result: StressResult) => void;
  readonly random: Random;
  readonly clock: () => number;
  /** Miners tested at the same time. */
  readonly concurrency: number;
  /** Milliseconds until a miner is tested again; the queue asks for less. */
  readonly restMs: number;
  readonly log: Log;
}

/** Milliseconds until the next look for a miner to test, when none is due. */
const PAUSE_MS = 500;
/** Miners that are probed in parallel: all that never answer cost one timeout. */
const MAX_PROBES = 256;
/**
 * A miner that is busy with others is probed again after a while. One that is busy each time, for a
 * quarter of an hour, counts as absent: else a miner could evade tests by always being busy.
 */
const BUSY_MS = 30_000;
const MAX_BUSY_PROBES = 30;
/**
 * The queue asks for a test at once, and for the next after a rest that doubles from test to test, up
 * to everybody's: users' requests that fail must not keep a miner under test.
 */
const QUEUED_REST_MS = 30_000;

/**
 * Tests miners without end. Each is asked for one image first, all that are due in parallel; only those
 * that answer take a place among the few that are put under load.
 */
export class StressLoop implements AsyncDisposable {
  readonly #parts: StressLoopParts;
  readonly #busy = new Set<string>();
  readonly #ready: Peer[] = [];
  readonly #running = new Set<Promise<void>>();
  /** Miners that had no room: how often in a row, and when to probe again. */
  readonly #backoff = new Map<string, { readonly times: number; readonly until: number }>();
  /** Tests that the queue asked for, without the usual rest in between. */
  readonly #hurried = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #loaded = 0;

  constructor(parts: StressLoopParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#look(), PAUSE_MS);
    this.#look();
  }

  /** Running tests are abandoned: nothing is recorded of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #look(): void {
    let due = this.#due();
    while (this.#busy.size - this.#loaded < MAX_PROBES) {
      const peer = drawForTest(due, this.#parts.random);
      if (!peer) return;
      due = due.filter((each) => each.peer !== peer);
      this.#busy.add(peer.hotkey);
      this.#follow(this.#probe(peer));
    }
  }

  #due(): Testable<Peer>[] {
    const { ledger, peers, clock, restMs } = this.#parts;
    const now = clock();
    const places = new Map(ledger.queue.hotkeys().map((hotkey, place) => [hotkey, place]));
    const tested = ledger.tests.latest();
    return peers().flatMap((peer) => {
      const { hotkey } = peer;
      const [at, queued] = [tested.get(hotkey), places.get(hotkey)];
      const sinceTest = at === undefined ? undefined : now - at;
      const rests = sinceTest !== undefined && sinceTest < this.#restOf(hotkey, queued);
      if (sinceTest !== undefined && sinceTest >= restMs) this.#hurried.delete(hotkey);
      const away = (this.#backoff.get(hotkey)?.until ?? 0) > now;
      return rests || away || this.#busy.has(hotkey) ? [] : [{ peer, queued, sinceTest }];
    });
  }

  /** Milliseconds. */
  #restOf(hotkey: string, queued: number | undefined): number {
    const { restMs } = this.#parts;
    const times = this.#hurried.get(hotkey) ?? 0;
    if (queued === undefined) return restMs;
    return times === 0 ? 0 : Math.min(restMs, QUEUED_REST_MS * 2 ** (times - 1));
  }

  #follow(work: Promise<void>): void {
    const end = work.finally(() => this.#running.delete(end));
    this.#running.add(end);
  }

  async #probe(peer: Peer): Promise<void> {
    const { probe, log } = this.#parts;
    const answer = await probe(peer, this.#stop.signal).catch((error) => {
      log("not tested", { uid: peer.uid, error: reason(error) });
      return undefined;
    });
    const seen = answer === "busy" ? this.#backOff(peer) : answer;
    if (seen !== "busy") this.#backoff.delete(peer.hotkey);
    if (seen === "answers") {
      this.#ready.push(peer);
      return this.#fill();
    }
    if (seen === "silent") this.#recordSilence(peer);
    this.#busy.delete(peer.hotkey);
  }

  #backOff({ uid, hotkey }: Peer): ProbeOutcome {
    const { clock, log } = this.#parts;
    const times = 1 + (this.#backoff.get(hotkey)?.times ?? 0);
    if (times >= MAX_BUSY_PROBES) return "silent";
    this.#backoff.set(hotkey, { times, until: clock() + BUSY_MS });
    log("not tested", { uid, error: "it is busy", times }, "debug");
    return "busy";
  }

  #recordSilence({ uid, hotkey }: Peer): void {
    const { ledger, log } = this.#parts;
    const load = { requestsPerSecond: 0, errorRate: 1, requests: 1 };
    ledger.tests.add(hotkey, { ...load, id: crypto.randomUUID() }, []);
    log("tested", { uid, rps: 0, errorRate: 1, verdicts: [] });
  }

  /** Puts those that answer under load, as many as may be at once. */
  #fill(): void {
    while (!this.#stop.signal.aborted && this.#loaded < this.#parts.concurrency) {
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
      if (ledger.queue.hotkeys().includes(peer.hotkey)) {
        this.#hurried.set(peer.hotkey, 1 + (this.#hurried.get(peer.hotkey) ?? 0));
      }
      ledger.tests.add(peer.hotkey, result.test, result.checks);
      publish(peer, result);
      log("tested", {
        uid: peer.uid,
        rps: result.test.requestsPerSecond,
        errorRate: result.test.errorRate,
        verdicts: result.checks.map(({ score }) => score.verdict),
      });
    } catch (error) {
      log("not tested", { uid: peer.uid, error: reason(error) });
      // The fault is ours, most often a checker that is down: the miner is left alone for a while.
      this.#backoff.set(peer.hotkey, { times: 0, until: clock() + BUSY_MS });
    } finally {
      this.#loaded--;
      this.#busy.delete(peer.hotkey);
      this.#fill();
    }
  }
}
