import { describe, expect, test, vi } from "vitest";
import { AppError } from "../../../core/error.ts";
import type { Score } from "../../../core/protocol/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { checkStatement } from "../../../core/verifier/mod.ts";
import { Machine, SimulatedClock } from "../../../server/adversary/income/mod.ts";
import { MinerBusy } from "../../../server/validator/miner_answer.ts";
import { MinerForged } from "../../../server/validator/miner_caller.ts";
import type { AnswerToScore } from "../../../server/validator/scorer.ts";
import { DEFAULT_STRESS, examine, loadMiner } from "../../../server/validator/stress_window.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

const PEER = { uid: 1, hotkey: "5Miner", url: "http://miner:1" };
const HONEST: Score = { verdict: "honest", similarity: 1, velocityError: 0, worst: 0, reasons: [] };
const receipt = await inventedReceipt(openHotkey(undefined), SMALL_REQUEST);
const statement = checkStatement(receipt, {});
const cancelled = () => new AppError("cancelled", "Cannot generate: it was cancelled");
const busy = () => new MinerBusy("miner_failed", "Cannot ask now: 429");

/** A window of 30 s over miners that share one machine; each takes so many requests at once. */
function simulated({ rate = 10, room = 1000, work = 1 } = {}) {
  const clock = new SimulatedClock();
  const machine = new Machine(clock, rate);
  const forgotten: string[] = [];
  let [made, open] = [0, 0];
  const generate = vi.fn(async (_: unknown, { signal }: { readonly signal?: AbortSignal }) => {
    if (!signal) throw new Error("a window ends");
    if (open >= room) throw busy();
    open++;
    const done = await machine.run(work, signal);
    open--;
    if (!done) throw cancelled();
    return { id: String(made++), receipt, statement, token: "t" };
  });
  const parts = {
    caller: {
      generate,
      forget: (_: unknown, id: string) => {
        forgotten.push(id);
        return Promise.resolve();
      },
    },
    scorer: vi.fn((_: AnswerToScore) => Promise.resolve(HONEST)),
    draw: () => Promise.resolve({ request: SMALL_REQUEST, format: "png" as const, work }),
    ...{ random: Math.random, clock, options: DEFAULT_STRESS },
    isNew: vi.fn((_root: string) => true),
  };
  const windows = async (miners = 1) => {
    const end = new AbortController();
    void clock.sleep(DEFAULT_STRESS.windowMs).then(() => end.abort());
    const loads = Promise.all(
      Array.from({ length: miners }, () => loadMiner(PEER, parts, 256, end.signal)),
    );
    loads.catch(() => {});
    await clock.run(DEFAULT_STRESS.windowMs);
    return await loads;
  };
  return { parts, windows, forgotten };
}

test("the rate is what is done in the window, in images of the default", async () => {
  const { parts, windows } = simulated({ rate: 10, work: 2 });
  const [load] = await windows();
  const { test: measured } = await examine(PEER, load, parts);
  // 10 a second, but for the one that the window's end cuts.
  expect(measured.requestsPerSecond).toBeGreaterThan(9.9);
  expect(measured.requestsPerSecond).toBeLessThanOrEqual(10);
  expect(measured.errorRate).toBe(0);
});

test.each([2, 8])("%i hotkeys on one machine have its rate together", async (hotkeys) => {
  const { windows } = simulated({ rate: 10 });
  const loads = await windows(hotkeys);
  const total = loads.reduce((sum, { work }) => sum + work, 0);
  expect(total).toBeLessThanOrEqual(300);
  expect(total).toBeGreaterThan(290);
});

test("load grows while answers are prompt, and stops where the miner has no more room", async () => {
  const { windows } = simulated({ rate: 10, room: 20 });
  const [load] = await windows();
  expect(load.carried).toBe(20);
  expect(load.failed).toBe(0);
});

test("a slow miner is not buried: a quarter of the window is as late as answers may be", async () => {
  const { windows } = simulated({ rate: 1.01 });
  const [{ carried, answers }] = await windows();
  expect(answers).toHaveLength(30);
  // 8 at once take 8 s, more than 7.5; by then those before have let in as many.
  expect(carried).toBe(15);
});

test("who takes nothing has failed, however politely", async () => {
  const { parts, windows } = simulated({ room: 0 });
  const [load] = await windows();
  expect(load).toMatchObject({ failed: 0, carried: 0, answers: [] });
  expect((await examine(PEER, load, parts)).test).toMatchObject({
    ...{ requestsPerSecond: 0, errorRate: 1 },
  });
  expect(parts.scorer).not.toHaveBeenCalled();
});

test("an answer that repeats an earlier receipt's root has failed, and is checked first", async () => {
  const { parts, windows } = simulated({ rate: 1.01 });
  let answers = 0;
  parts.isNew.mockImplementation(() => answers++ % 10 !== 0);
  const [load] = await windows();
  expect(load).toMatchObject({ failed: 3, work: 27 });
  const { test: measured } = await examine(PEER, load, parts);
  expect(measured.errorRate).toBeCloseTo(0.1, 12);
  const copies = load.copied.map(({ receipt }) => receipt);
  const checked = parts.scorer.mock.calls.map(([{ receipt }]) => receipt);
  expect(checked.slice(0, 3)).toEqual(copies);
});

test("a miner that fails at once is not asked in a hot loop", async () => {
  const { parts, windows } = simulated();
  parts.caller.generate.mockRejectedValue(new AppError("miner_failed", "Cannot use it: junk"));
  const [load] = await windows();
  expect(load.failed).toBeGreaterThan(10);
  expect(load.sent).toBeLessThan(50);
});

describe("an examination", () => {
  test("checks a sixteenth, four at most, and gives all back but the shown", async () => {
    const { parts, windows, forgotten } = simulated({ rate: 10 });
    const [load] = await windows();
    const { checks, shown } = await examine(PEER, load, parts);
    expect(checks).toHaveLength(4);
    expect(shown?.id).toBe(checks[0].id);
    expect(new Set(forgotten).size).toBe(load.answers.length - 1);
    expect(forgotten).not.toContain(shown?.id);
  });

  test("takes the time of one check, not of their sum, of a miner that opens slowly", async () => {
    const { parts, windows } = simulated({ rate: 10 });
    const { clock } = parts;
    const [load] = await windows();
    parts.scorer.mockImplementation(async () => {
      await clock.sleep(29_000);
      return HONEST;
    });
    let ended = NaN;
    void examine(PEER, load, parts).then(() => ended = clock.now());
    await clock.run(300_000);
    expect(ended).toBe(30_000 + 29_000);
  });

  test("of a forged answer needs no checker", async () => {
    const { parts, windows } = simulated();
    const forged = new MinerForged("miner_failed", "Cannot use the answer: its request");
    parts.caller.generate.mockRejectedValueOnce(forged);
    parts.scorer.mockRejectedValue(new Error("down"));
    const [load] = await windows();
    const { checks } = await examine(PEER, load, parts);
    expect(checks).toMatchObject([{ hotkey: "5Miner", source: "synthetic" }]);
    expect(checks[0].score).toMatchObject({ verdict: "invalid", reasons: [forged.message] });
  });

  test("that the checker cannot make is no miner's fault; the answers are given back", async () => {
    const { parts, windows, forgotten } = simulated({ rate: 1.01 });
    parts.scorer.mockRejectedValue(new AppError("host_unavailable", "Cannot score"));
    const [load] = await windows();
    expect(await rejection(examine(PEER, load, parts))).toMatchObject({ code: "host_unavailable" });
    expect(forgotten).toHaveLength(30);
  });
});

test("what goes wrong here is not the miner's fault", async () => {
  const { parts, windows } = simulated();
  parts.caller.generate.mockRejectedValue(new Error("no network here"));
  expect(await rejection(windows())).toMatchObject({ code: "host_failed" });
});
