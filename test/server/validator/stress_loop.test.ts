import { describe, expect, onTestFinished, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { SimulatedClock } from "../../../server/adversary/income/mod.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import type { Peer } from "../../../server/validator/peers.ts";
import { StressLoop } from "../../../server/validator/stress_loop.ts";
import type { Load } from "../../../server/validator/stress_window.ts";

const PEERS: readonly Peer[] = Array.from({ length: 20 }, (_, uid) => ({
  ...{ uid, hotkey: `5M${uid}`, url: `http://m${uid}` },
}));
const WINDOW_MS = 30_000;
const LOAD: Load = {
  answers: [],
  forged: [],
  copied: [],
  work: 30,
  sent: 30,
  failed: 0,
  carried: 4,
};
/** Half of all windows come within 0.69 of the mean: ln 2. */
const REST_MS = 500 + 600_000 * Math.LN2;

interface Test {
  readonly peers?: () => readonly Peer[];
  readonly examine?: (peer: Peer) => Promise<void>;
  readonly concurrency?: number;
}

function tested({ peers = () => PEERS, examine = async () => {}, concurrency = 2 }: Test) {
  const clock = new SimulatedClock();
  const ledger = new Ledger(":memory:", clock.now);
  const windows: (readonly [number, number])[] = [];
  const works = new Map<number, number>();
  let [checking, most] = [0, 0];
  const loop = new StressLoop({
    ...{ ledger, clock, concurrency, peers, random: () => 0.5, restMs: 600_000 },
    options: { windowMs: WINDOW_MS, max: 256 },
    load: async (_, __, over) => {
      const started = clock.now();
      await new Promise((resolve) => over.addEventListener("abort", resolve));
      windows.push([started, clock.now()]);
      return LOAD;
    },
    examine: async (peer, load) => {
      works.set(peer.uid, load.work);
      most = Math.max(most, ++checking);
      await examine(peer).finally(() => checking--);
      const found = { requestsPerSecond: 1, errorRate: 0, requests: 30, carried: 4 };
      return { test: { ...found, id: crypto.randomUUID() }, checks: [], shown: undefined };
    },
    publish: () => {},
    log: () => {},
  });
  onTestFinished(async () => {
    await loop[Symbol.asyncDispose]();
    ledger[Symbol.dispose]();
  });
  return { clock, ledger, loop, windows, works, most: () => most };
}

test("all miners are loaded in the same window, and then checked a few at a time", async () => {
  const { clock, ledger, windows, most } = tested({});
  await clock.run(WINDOW_MS + 1);
  expect(windows).toEqual(PEERS.map(() => [0, WINDOW_MS]));
  expect(most()).toBe(2);
  expect(ledger.tests.latest().size).toBe(20);
});

test("what is done for users in a window counts as well: refusing them then gains nothing", async () => {
  const { clock, ledger, works } = tested({});
  ledger.results.served("before", "5M7", 100);
  const next = WINDOW_MS + REST_MS;
  await clock.run(next + 1000);
  ledger.results.served("within", "5M7", 4);
  ledger.results.refused("refused", "5M8", "full", 4);
  await clock.run(next + WINDOW_MS + 1);
  expect([works.get(7), works.get(8)]).toEqual([LOAD.work + 4, LOAD.work]);
});

test("the next window comes after a rest that chance draws", async () => {
  const { clock, windows } = tested({ peers: () => PEERS.slice(0, 1) });
  await clock.run(2 * (WINDOW_MS + REST_MS) + WINDOW_MS + 1);
  const next = WINDOW_MS + REST_MS;
  expect(windows.map(([start]) => start)).toEqual([0, next, 2 * next]);
});

test("a subnet without miners is looked at again soon", async () => {
  let peers: readonly Peer[] = [];
  const { clock, windows } = tested({ peers: () => peers });
  await clock.run(5000);
  peers = PEERS;
  await clock.run(6000 + WINDOW_MS);
  expect(windows).toHaveLength(20);
});

describe("a test that comes to nothing", () => {
  const trouble = (fails: (peer: Peer) => boolean) => ({
    examine: (peer: Peer) =>
      fails(peer) ? Promise.reject(new AppError("host_unavailable", "Cannot")) : Promise.resolve(),
  });
  const rounds = (count: number) => count * (WINDOW_MS + REST_MS);

  test("once says nothing of a miner, and counts as failed from the second time on", async () => {
    const { clock, ledger } = tested(trouble(({ uid }) => uid === 7));
    await clock.run(rounds(1));
    expect(ledger.metrics("5M7").requestsPerSecond).toBeNaN();
    await clock.run(rounds(2));
    expect(ledger.metrics("5M7")).toMatchObject({ requestsPerSecond: 0, errorRate: 1 });
    expect(ledger.metrics("5M6")).toMatchObject({ requestsPerSecond: 1, errorRate: 0 });
  });

  test("for everybody, as when the checker is down, fails nobody", async () => {
    const { clock, ledger } = tested(trouble(() => true));
    await clock.run(rounds(3));
    expect(ledger.tests.latest().size).toBe(0);
  });

  test("now and then fails nobody", async () => {
    let round = 0;
    const { clock, ledger } = tested(trouble(({ uid }) => uid === 7 && round++ % 2 === 0));
    await clock.run(rounds(4));
    expect(ledger.metrics("5M7")).toMatchObject({ requestsPerSecond: 1, errorRate: 0 });
  });
});

test("one that is checked slowly holds up no others", async () => {
  const clocks: SimulatedClock[] = [];
  const { clock, ledger } = tested({
    examine: ({ uid }) => uid === 7 ? clocks[0].sleep(200_000) : Promise.resolve(),
  });
  clocks.push(clock);
  await clock.run(WINDOW_MS + 1000);
  expect(ledger.tests.latest().size).toBe(19);
  await clock.run(WINDOW_MS + 200_000);
  expect(ledger.tests.latest().size).toBe(20);
});

test("stopping it waits for no miner, and nothing is recorded of what ran", async () => {
  const { clock, ledger, loop } = tested({});
  await clock.run(WINDOW_MS / 2);
  await loop[Symbol.asyncDispose]();
  expect(ledger.tests.latest()).toEqual(new Map());
});
