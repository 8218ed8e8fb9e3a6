import { describe, expect, test, vi } from "vitest";
import { AppError } from "../../../core/error.ts";
import type { Score } from "../../../core/protocol/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { checkStatement } from "../../../core/verifier/mod.ts";
import { MinerBusy } from "../../../server/validator/miner_answer.ts";
import { MinerForged } from "../../../server/validator/miner_caller.ts";
import { DEFAULT_STRESS, probe, stressTest } from "../../../server/validator/stress_ramp.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

const PEER = { uid: 1, hotkey: "5Miner", url: "http://miner:1" };
const HONEST: Score = { verdict: "honest", similarity: 1, velocityError: 0, worst: 0, reasons: [] };
const receipt = await inventedReceipt(openHotkey(undefined), SMALL_REQUEST);
const statement = checkStatement(receipt, {});

/** A miner that serves so many at once, each for so long; the rest is turned away. */
function simulated(miner: { readonly room: number; readonly ms: number }, score = HONEST) {
  let clock = 0;
  let open = 0;
  let made = 0;
  const forgotten: string[] = [];
  const scorer = vi.fn(() => Promise.resolve(score));
  const generate = vi.fn(async () => {
    if (open >= miner.room) throw new MinerBusy("miner_failed", "Cannot ask now: 429");
    open++;
    await Promise.resolve();
    open--;
    clock += miner.ms;
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
    scorer,
    ask: () => Promise.resolve({ request: SMALL_REQUEST, format: "png" as const }),
    random: Math.random,
    clock: () => clock,
    options: { ...DEFAULT_STRESS, max: 64 },
  };
  return { generate, scorer, forgotten, parts };
}

function tested(...of: Parameters<typeof simulated>) {
  const simulation = simulated(...of);
  return { ...simulation, result: stressTest(PEER, simulation.parts) };
}

test("4, 8, 16, ... until more than a quarter fails; the rate is of the last that was carried", async () => {
  const { result, generate } = tested({ room: 20, ms: 100 });
  const { test: load } = await result;
  // 4 + 8 + 16 are carried; of 32, 12 are turned away, which is more than a quarter.
  expect(generate).toHaveBeenCalledTimes(60);
  expect(load).toMatchObject({ requests: 60, errorRate: 0 });
  expect(load.requestsPerSecond).toBeCloseTo(10, 6);
});

test("one answer that takes too long ends it", async () => {
  const { result, generate } = tested({ room: 1000, ms: 4000 });
  const { test: load } = await result;
  // The 8th of the second level ends after 32 s.
  expect(generate).toHaveBeenCalledTimes(12);
  expect(load.requestsPerSecond).toBeCloseTo(0.25, 6);
});

test("a sixteenth of all answers is checked, at least one, and all but the shown are given back", async () => {
  const { result, scorer, forgotten } = tested({ room: 20, ms: 1 });
  const { checks, shown } = await result;
  // 28 + 20 answers.
  expect(scorer).toHaveBeenCalledTimes(3);
  expect(checks).toHaveLength(3);
  expect(shown?.id).toBe(checks[0].id);
  expect(new Set(forgotten).size).toBe(47);
  expect(forgotten).not.toContain(shown?.id);
});

test("a miner that never answers has no rate and only errors", async () => {
  const { result, scorer } = tested({ room: 0, ms: 1 });
  expect(await result).toMatchObject({ test: { requestsPerSecond: 0, errorRate: 1, requests: 4 } });
  expect(scorer).not.toHaveBeenCalled();
});

test("an answer to something else is a cheat, whatever the drawn ones are", async () => {
  const { parts, generate } = simulated({ room: 20, ms: 1 });
  const forged = new MinerForged("miner_failed", "Cannot use the answer: its request");
  generate.mockRejectedValueOnce(forged);
  // Nor does it hang on a checker that is down.
  const scorer = vi.fn().mockRejectedValue(new Error("down"));
  const { checks, test: load } = await stressTest(PEER, { ...parts, scorer });
  const invalid = checks.filter(({ score }) => score.verdict === "invalid");
  expect(invalid).toMatchObject([{ hotkey: "5Miner", source: "synthetic" }]);
  expect(invalid[0].score.reasons).toEqual([forged.message]);
  expect(load.requests).toBeGreaterThan(4);
});

describe("a probe", () => {
  const probed = (error?: Error) => {
    const { parts, generate, forgotten } = simulated({ room: 20, ms: 1 });
    if (error) generate.mockRejectedValue(error);
    return { outcome: probe(PEER, parts), forgotten };
  };

  test("that is answered gives its image back", async () => {
    const { outcome, forgotten } = probed();
    expect(await outcome).toBe("answers");
    expect(forgotten).toHaveLength(1);
  });

  test.each([
    ["busy", new MinerBusy("miner_failed", "Cannot ask now: 429")],
    ["silent", new AppError("miner_failed", "Cannot use it: nothing came")],
  ])("finds a miner %s", async (outcome, error) => {
    expect(await probed(error).outcome).toBe(outcome);
  });
});

test("a test that is stopped ends at once, and its answers are left to age", async () => {
  const { parts, scorer, generate, forgotten } = simulated({ room: 20, ms: 1 });
  const stop = new AbortController();
  generate.mockImplementationOnce(() => {
    stop.abort();
    return Promise.reject(new AppError("cancelled", "Cannot generate: it was cancelled"));
  });
  expect(await rejection(stressTest(PEER, parts, stop.signal))).toMatchObject({
    code: "cancelled",
  });
  expect(scorer).not.toHaveBeenCalled();
  expect(forgotten).toEqual([]);
});

describe("what goes wrong here is not the miner's fault", () => {
  test("the scorer", async () => {
    const { result, scorer, forgotten } = tested({ room: 20, ms: 1 });
    scorer.mockRejectedValue(new AppError("host_unavailable", "Cannot score"));
    expect(await rejection(result)).toMatchObject({ code: "host_unavailable" });
    expect(forgotten).toHaveLength(48);
  });
});
