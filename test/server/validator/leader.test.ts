import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type Metagraph, openWallet } from "../../../server/chain/mod.ts";
import { type Cluster, type Once, openLocalCluster } from "../../../server/cluster/mod.ts";
import { LocalOnce } from "../../../server/cluster/local_once.ts";
import { Leader, LEADER_SECONDS } from "../../../server/validator/leader.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { SharedResults } from "../../../server/validator/shared_results.ts";
import { WeightsLoop } from "../../../server/validator/weights_loop.ts";
import { takeTurn, TURN_SECONDS } from "../../../server/validator/weights_turn.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

/** Time that goes on when everybody sleeps. */
class SimulatedClock {
  #now = 0;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  readonly now = () => this.#now;
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper = {
        until: this.#now + ms,
        wake: () => (this.#sleepers.delete(sleeper), resolve()),
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });

  async pass(seconds: number): Promise<void> {
    const end = this.#now + 1000 * seconds;
    for (;;) {
      for (let k = 0; k < 20; k++) await Promise.resolve();
      const next = Math.min(...[...this.#sleepers].map(({ until }) => until));
      if (next > end) break;
      this.#now = next;
      for (const sleeper of this.#sleepers) if (sleeper.until <= next) sleeper.wake();
    }
    this.#now = end;
  }
}

describe("Leader", () => {
  let clock: SimulatedClock;
  let once: LocalOnce;
  let leading: Set<string>;
  let most: number;
  beforeEach(() => {
    clock = new SimulatedClock();
    once = new LocalOnce(":memory:", LEADER_SECONDS, clock.now);
    leading = new Set();
    most = 0;
    onTestFinished(() => once[Symbol.dispose]());
  });

  function candidate(name: string, table: Once = once) {
    const lead = () => {
      leading.add(name);
      most = Math.max(most, leading.size);
      return Promise.resolve({
        [Symbol.asyncDispose]: () => Promise.resolve(void leading.delete(name)),
      });
    };
    return new Leader({ once: table, key: "stress_5V", lead, log: () => {}, clock });
  }

  async function stopped(...candidates: readonly Leader[]): Promise<void> {
    const ends = candidates.map((each) => each[Symbol.asyncDispose]());
    await clock.pass(60);
    await Promise.all(ends);
  }

  test("one of two leads, for as long as it lives, and then the other", async () => {
    const [one, other] = [candidate("one"), candidate("other")];
    await clock.pass(600);
    expect([...leading]).toEqual(["one"]);
    const end = one[Symbol.asyncDispose]();
    await clock.pass(5);
    await end;
    expect([...leading]).toEqual(["other"]);
    await stopped(other);
    expect([most, leading.size]).toEqual([1, 0]);
  });

  test("who is dead is followed within 30 s", async () => {
    // It claimed, and was never heard again.
    await once.claim("stress_5V", "dead");
    const other = candidate("other");
    await clock.pass(30);
    expect([...leading]).toEqual(["other"]);
    await stopped(other);
  });

  test("who cannot reach the others has stopped before another leads", async () => {
    let away = false;
    const behind: Once = {
      claim: (key, value) => away ? new Promise(() => {}) : once.claim(key, value),
      renew: (key, value) => away ? new Promise(() => {}) : once.renew(key, value),
      release: (key, value) => away ? Promise.resolve() : once.release(key, value),
      get: (key) => once.get(key),
    };
    const cut = candidate("cut", behind);
    await clock.pass(10);
    const other = candidate("other");
    away = true;
    await clock.pass(30);
    expect([...leading]).toEqual(["other"]);
    expect(most).toBe(1);
    void cut;
    await stopped(other);
  });
});

describe("weights of several processes", () => {
  const EPOCH = 100;
  const SCORE = { similarity: 1, velocityError: 0, worst: 0, reasons: [] };
  let joined: Cluster;
  let turns: Once;
  let sent: { readonly by: string; readonly block: number }[];
  let lastUpdate: number;
  let head: number;
  beforeEach(async () => {
    const folder = await temporaryFolder();
    joined = await openLocalCluster(join(folder, "cluster"));
    onTestFinished(() => joined[Symbol.asyncDispose]());
    turns = await joined.once("turns", TURN_SECONDS);
    [sent, lastUpdate, head, open] = [[], 0, 1000, 0];
  });

  /** Turns that are asked for or taken, and not over. */
  let open: number;

  async function counted(asked: ReturnType<typeof takeTurn>) {
    open++;
    const turn = await asked.catch((error) => {
      open--;
      throw error;
    });
    if (!turn) return void open--;
    const end = async () => {
      await turn[Symbol.asyncDispose]();
      open--;
    };
    return { held: turn.held, [Symbol.asyncDispose]: end };
  }

  /** A process that believes that it leads. */
  async function process(by: string, { dies = false } = {}) {
    const wallet = await openWallet({ path: "", name: "", hotkey: "//Alice", network: "devnet" });
    const of = wallet.hotkey.address;
    const ledger = new Ledger(":memory:", Date.now, { shared: true });
    const log = () => {};
    const shared = await SharedResults.open({ cluster: joined, ledger, of, log });
    let emit: (block: number) => void = () => {};
    const neurons = () =>
      [of, "5Fast"].map((hotkey, uid) => ({ hotkey, uid, lastUpdate: uid === 0 ? lastUpdate : 0 }));
    const hyperparameters = { minAllowedWeights: 1, maxWeightsLimit: 65535, weightsVersion: 3 };
    const loop = new WeightsLoop({
      ...{ wallet, ledger, epochLength: EPOCH, log },
      turn: () => counted(takeTurn({ once: turns, of, current: () => shared.current() })),
      chain: {
        block: head,
        onBlock: (listener) => (emit = (block) => listener(block, "0x"), () => {}),
        mechanisms: () => Promise.resolve(1),
        metagraph: () =>
          Promise.resolve({ neurons: neurons(), hyperparameters } as unknown as Metagraph),
        setWeights: async () => {
          sent.push({ by, block: head });
          lastUpdate = head;
          await new Promise((resolve) => setTimeout(resolve, 5));
          if (dies) throw new Error("killed before it could say so");
          return { way: "set", block: head, blockHash: "0x" } as never;
        },
        weightsRevealed: () => Promise.reject(new Error("nothing was committed")),
      },
    });
    onTestFinished(async () => {
      await loop[Symbol.asyncDispose]();
      await shared[Symbol.asyncDispose]();
      ledger[Symbol.dispose]();
    });
    return { ledger, shared, at: (block: number) => (head = block, emit(block)) };
  }

  async function measured(): Promise<void> {
    const { ledger, shared } = await process("nobody");
    const checks = [
      {
        ...{ id: "c", hotkey: "5Fast", source: "synthetic" as const },
        score: { ...SCORE, verdict: "honest" as const },
      },
    ];
    const test = { id: "t", requestsPerSecond: 2, errorRate: 0, requests: 4, carried: 4 };
    ledger.tests.add("5Fast", test, checks);
    await shared.current();
  }

  async function blocks(all: readonly { at: (block: number) => void }[], to: number) {
    for (let block = head + 1; block <= to; block++) {
      for (const each of all) each.at(block);
      await vi.waitUntil(() => open === 0, { timeout: PATIENCE_MS, interval: 1 });
    }
  }

  test("are set once an epoch, though two believe that they lead", async () => {
    await measured();
    await blocks([await process("one"), await process("other")], 1450);
    const epochs = sent.map(({ block }) => Math.floor((block - 1000) / EPOCH));
    expect(epochs).toEqual([1, 2, 3, 4]);
  });

  test("are not set again by who follows one that died before it could say so", async () => {
    await measured();
    await blocks([await process("one", { dies: true }), await process("other")], 1150);
    expect(sent).toHaveLength(1);
  });
});
