import { describe, expect, onTestFinished, test, vi } from "vitest";
import { AppError } from "../../../core/error.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import type { Peer } from "../../../server/validator/peers.ts";
import { StressLoop } from "../../../server/validator/stress_loop.ts";
import type { ProbeOutcome } from "../../../server/validator/stress_ramp.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";

const PEERS: readonly Peer[] = Array.from({ length: 20 }, (_, uid) => ({
  ...{ uid, hotkey: `5M${uid}`, url: `http://m${uid}` },
}));

function tested(
  probe: (peer: Peer) => Promise<ProbeOutcome>,
  peers = PEERS,
  concurrency = 2,
  trouble: () => Promise<void> = () => Promise.resolve(),
) {
  const ledger = new Ledger(":memory:");
  let loaded = 0;
  let most = 0;
  const order: number[] = [];
  const loop = new StressLoop({
    ...{ ledger, probe, concurrency, random: Math.random, clock: Date.now, restMs: 60_000 },
    peers: () => peers,
    test: async ({ uid }) => {
      order.push(uid);
      most = Math.max(most, ++loaded);
      await new Promise((resolve) => setTimeout(resolve, 5));
      loaded--;
      await trouble();
      const load = { requestsPerSecond: 1, errorRate: 0, requests: 4 };
      return { test: { ...load, id: crypto.randomUUID() }, checks: [], shown: undefined };
    },
    publish: () => {},
    log: () => {},
  });
  return { ledger, loop, order, most: () => most };
}

test("those that never answer are waited for concurrency, and hold up nobody", async () => {
  vi.useFakeTimers();
  try {
    const late = (peer: Peer) =>
      peer.uid % 2 === 0
        ? Promise.resolve<ProbeOutcome>("answers")
        : new Promise<ProbeOutcome>((resolve) => setTimeout(() => resolve("silent"), 45_000));
    const { ledger, loop, order, most } = tested(late);
    await vi.advanceTimersByTimeAsync(2000);
    expect(order.toSorted((a, b) => a - b)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect(most()).toBe(2);
    await vi.advanceTimersByTimeAsync(44_000);
    expect(ledger.metrics("5M1")).toMatchObject({ requestsPerSecond: 0, errorRate: 1 });
    expect(ledger.metrics("5M19")).toMatchObject({ requestsPerSecond: 0, errorRate: 1 });
    await loop[Symbol.asyncDispose]();
  } finally {
    vi.useRealTimers();
  }
});

test("nobody is tested twice in a round, but for the queue", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const two = PEERS.slice(0, 2);
  const { ledger, loop, order } = tested(() => Promise.resolve("answers"), two);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(order).toHaveLength(2);
  ledger.queue.add("5M1", "failed a user");
  await vi.advanceTimersByTimeAsync(3000);
  expect(order).toHaveLength(3);
  expect(order[2]).toBe(1);
  await loop[Symbol.asyncDispose]();
  expect(ledger.queue.hotkeys()).toEqual([]);
});

test("a miner that fails users all the time is not tested all the time", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { ledger, loop, order } = tested(() => Promise.resolve("answers"), PEERS.slice(0, 1));
  for (let second = 0; second < 300; second++) {
    ledger.queue.add("5M0", "failed a user");
    await vi.advanceTimersByTimeAsync(1000);
  }
  // At once, after 30 s, and then at everybody's rest of a minute.
  expect(order.length).toBeGreaterThanOrEqual(5);
  expect(order.length).toBeLessThanOrEqual(12);
  await loop[Symbol.asyncDispose]();
});

test("our own trouble is not the miner's: it is tried again", async () => {
  let calls = 0;
  const { loop, order } = tested(() => {
    if (calls++ === 0) return Promise.reject(new Error("no network here"));
    return Promise.resolve("answers");
  }, PEERS.slice(0, 1));
  await vi.waitUntil(() => order.length === 1, PATIENCE_MS);
  expect(calls).toBe(2);
  await loop[Symbol.asyncDispose]();
});

test("a test that our side could not finish is made again after a rest, not at once", async () => {
  vi.useFakeTimers();
  try {
    const { ledger, loop, order } = tested(
      () => Promise.resolve("answers"),
      PEERS.slice(0, 1),
      2,
      () => Promise.reject(new Error("the checker is down")),
    );
    await vi.advanceTimersByTimeAsync(20_000);
    expect(order).toEqual([0]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(order).toEqual([0, 0]);
    expect(ledger.metrics("5M0").requestsPerSecond).toBeNaN();
    await loop[Symbol.asyncDispose]();
  } finally {
    vi.useRealTimers();
  }
});

describe("a miner that is busy with others", () => {
  const one = PEERS.slice(0, 1);
  const TEST = { id: "before", requestsPerSecond: 3, errorRate: 0, requests: 4 };

  test("keeps what was measured, and is asked again when it may have room", async () => {
    vi.useFakeTimers();
    try {
      const answers: ProbeOutcome[] = ["busy", "busy", "answers"];
      const probe = vi.fn(() => Promise.resolve(answers.shift() ?? "silent"));
      const { ledger, loop, order } = tested(probe, one);
      ledger.tests.add("5M0", TEST, []);
      ledger.queue.add("5M0", "failed a user");
      await vi.advanceTimersByTimeAsync(40_000);
      expect(probe).toHaveBeenCalledTimes(2);
      expect(order).toEqual([]);
      expect(ledger.metrics("5M0")).toMatchObject({ requestsPerSecond: 3, errorRate: 0 });
      await vi.advanceTimersByTimeAsync(40_000);
      expect(order).toEqual([0]);
      await loop[Symbol.asyncDispose]();
    } finally {
      vi.useRealTimers();
    }
  });

  test("each time is as good as not there", async () => {
    vi.useFakeTimers();
    try {
      const { ledger, loop } = tested(() => Promise.resolve("busy"), one);
      ledger.tests.add("5M0", TEST, []);
      await vi.advanceTimersByTimeAsync(20 * 60_000);
      expect(ledger.metrics("5M0")).toMatchObject({ requestsPerSecond: 0, errorRate: 1 });
      await loop[Symbol.asyncDispose]();
    } finally {
      vi.useRealTimers();
    }
  });
});

test("stopping it waits for no miner, and nothing is recorded of what ran", async () => {
  const ledger = new Ledger(":memory:");
  const running = Promise.withResolvers<void>();
  const loop = new StressLoop({
    ...{ ledger, concurrency: 1, random: Math.random, clock: Date.now, restMs: 60_000 },
    peers: () => PEERS.slice(0, 2),
    probe: () => Promise.resolve("answers"),
    test: (_, signal) => {
      running.resolve();
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new AppError("cancelled", "Cannot test")))
      );
    },
    publish: () => {},
    log: () => {},
  });
  await running.promise;
  await loop[Symbol.asyncDispose]();
  expect(ledger.tests.latest()).toEqual(new Map());
});
