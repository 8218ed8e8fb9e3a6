import { AppError, reason } from "../../core/error.ts";
import type { Log } from "../telemetry/mod.ts";
import type { Clock } from "./clock.ts";
import type { Ledger, LoadTest } from "./ledger/mod.ts";
import type { Peer } from "./peers.ts";
import { type Random, sample } from "./selection.ts";
import type { Load, StressOptions, StressResult } from "./stress_window.ts";

interface StressLoopParts {
  readonly ledger: Pick<Ledger, "tests" | "results">;
  readonly peers: () => readonly Peer[];
  /** Loads a miner until the signal says that the window is over. */
  readonly load: (peer: Peer, most: number, over: AbortSignal) => Promise<Load>;
  /** Has its answers checked. */
  readonly examine: (peer: Peer, load: Load) => Promise<StressResult>;
  /** Publishes a receipt. */
  readonly publish: (peer: Peer, result: StressResult) => void;
  readonly random: Random;
  readonly clock: Clock;
  /** Miners whose answers are checked at the same time. */
  readonly concurrency: number;
  /** Milliseconds from one window to the next, on average. */
  readonly restMs: number;
  readonly options: Pick<StressOptions, "windowMs" | "max">;
  readonly log: Log;
}

/** Milliseconds until the next look for miners, when there is none. */
const PAUSE_MS = 500;
/** In units of the mean. */
const LONGEST_REST = 4;
/** Requests at once, to all miners together. */
const MAX_OPEN = 8192;
/** A test that comes to nothing so often in a row, while others' do not, has failed. */
const MAX_VOIDS = 2;

/** A window and its checks, of one miner. */
interface Measured {
  readonly peer: Peer;
  readonly result: StressResult | undefined;
}

/**
 * Tests miners without end, all at the same moment: hotkeys that share a machine share its rate. When
 * the next window opens nobody can foresee, so that no machine can be hired for it alone.
 */
export class StressLoop implements AsyncDisposable {
  readonly #parts: StressLoopParts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Tests in a row that came to nothing, of each hotkey. */
  readonly #voids = new Map<string, number>();

  constructor(parts: StressLoopParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** A running window is abandoned: nothing is recorded of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { peers, clock, log } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const all = peers();
      try {
        if (all.length > 0) await this.#round(all);
      } catch (error) {
        log("failed", { error: reason(error) }, "error");
      }
      await clock.sleep(all.length > 0 ? this.#rest() : PAUSE_MS, signal);
    }
  }

  /** Without memory: however long ago the last window was, the next is as likely. */
  #rest(): number {
    const { random, restMs } = this.#parts;
    return PAUSE_MS + restMs * Math.min(LONGEST_REST, -Math.log(1 - random()));
  }

  async #round(all: readonly Peer[]): Promise<void> {
    const { random, concurrency } = this.#parts;
    const loads = await this.#window(all);
    const order = sample(all, all.length, random);
    const measured: Measured[] = [];
    const next = async (): Promise<void> => {
      const peer = order.shift();
      if (!peer || this.#stop.signal.aborted) return;
      measured.push({ peer, result: await this.#examine(peer, loads.get(peer)) });
      return next();
    };
    await Promise.all(Array.from({ length: concurrency }, next));
    if (!this.#stop.signal.aborted) this.#settleVoids(measured);
  }

  /**
   * What a miner does for users meanwhile counts as well: else it would pay to refuse them in a window.
   * @returns what all did in the same time; a miner is missing where we could not ask it.
   */
  async #window(all: readonly Peer[]): Promise<ReadonlyMap<Peer, Load>> {
    const { load, ledger, clock, options: { windowMs, max } } = this.#parts;
    const started = clock.now();
    const { signal } = this.#stop;
    const end = new AbortController();
    const over = AbortSignal.any([signal, end.signal]);
    const most = Math.max(1, Math.min(max, Math.floor(MAX_OPEN / all.length)));
    const loads = all.map(async (peer) => {
      try {
        return [[peer, await load(peer, most, over)] as const];
      } catch (error) {
        this.#notTested(peer, error);
        return [];
      }
    });
    await clock.sleep(windowMs, signal);
    end.abort();
    return new Map(
      (await Promise.all(loads)).flat().map(([peer, done]) => {
        const work = done.work + ledger.results.workSince(peer.hotkey, started);
        return [peer, { ...done, work }];
      }),
    );
  }

  /** @returns undefined where it came to nothing. */
  async #examine(peer: Peer, load: Load | undefined): Promise<StressResult | undefined> {
    if (!load) return undefined;
    const { examine, publish, ledger } = this.#parts;
    try {
      const result = await examine(peer, load);
      if (this.#stop.signal.aborted) return undefined;
      ledger.tests.add(peer.hotkey, result.test, result.checks);
      publish(peer, result);
      this.#tested(peer, result);
      return result;
    } catch (error) {
      this.#notTested(peer, error);
      return undefined;
    }
  }

  /**
   * A checker that is down voids everybody's tests, and that is nobody's fault. Where others' came to
   * something, a miner may once have been unlucky.
   */
  #settleVoids(measured: readonly Measured[]): void {
    if (measured.every(({ result }) => !result)) return;
    for (const { peer, result } of measured) {
      const times = result ? 0 : 1 + (this.#voids.get(peer.hotkey) ?? 0);
      if (times === 0) this.#voids.delete(peer.hotkey);
      else this.#voids.set(peer.hotkey, times);
      if (times < MAX_VOIDS) continue;
      const test = failedTest();
      this.#parts.ledger.tests.add(peer.hotkey, test, []);
      this.#tested(peer, { test, checks: [] });
    }
  }

  #tested({ uid }: Peer, { test, checks }: Pick<StressResult, "test" | "checks">): void {
    const { requestsPerSecond: rps, errorRate } = test;
    this.#parts.log("tested", {
      ...{ uid, rps, errorRate },
      verdicts: checks.map(({ score }) => score.verdict),
    });
  }

  #notTested({ uid }: Peer, error: unknown): void {
    if (error instanceof AppError && error.code === "cancelled") return;
    this.#parts.log("not tested", { uid, error: reason(error) });
  }
}

function failedTest(): LoadTest {
  return {
    id: crypto.randomUUID(),
    ...{ requestsPerSecond: 0, errorRate: 1, requests: 0, carried: 0 },
  };
}
