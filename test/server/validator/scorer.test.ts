import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import { type Receipt, receiptId, signReceipt } from "../../../core/transcript/mod.ts";
import {
  gainOf,
  type OpeningSource,
  type Report,
  type Verification,
} from "../../../core/verifier/mod.ts";
import { localScorer, type LocalScorerOptions } from "../../../server/validator/scorer.ts";
import { serveMiner } from "../../fixtures/miner_server.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";

const TOKEN = "t".repeat(43);
const PLAN = planFromConfig({ _class_name: "DPMSolverMultistepScheduler" }, 4);
const HONEST = { verdict: "honest", reasons: [], steps: [] } as unknown as Report;
let receipts: readonly Receipt[];
beforeAll(async () => {
  const miners = ["1", "2"].map((digit) => openHotkey(digit.repeat(64)));
  receipts = await Promise.all(miners.map((miner) => inventedReceipt(miner, SMALL_REQUEST)));
});

/** Opens so many steps, and runs the network once. */
function verifying(openings: number) {
  const work = { networks: 0, most: 0, checks: 0, mostChecks: 0 };
  const engine = {
    predict: async () => {
      work.most = Math.max(work.most, ++work.networks);
      await new Promise((resolve) => setTimeout(resolve, 5));
      work.networks--;
      return [];
    },
    decode: () => Promise.reject(new Error("not asked for")),
    encode: () => Promise.reject(new Error("not asked for")),
  };
  const verify = async ({ receipt, source, openEngine }: Verification) => {
    const whole = "receipt" in receipt ? receipt.receipt : receipt;
    const committed = { receipt: whole, id: receiptId(whole), plan: PLAN };
    const open = source as OpeningSource;
    work.mostChecks = Math.max(work.mostChecks, ++work.checks);
    try {
      for (let step = 0; step < openings; step++) await open(committed as never, step);
      await (await openEngine()).predict({} as never, []);
      return HONEST;
    } finally {
      work.checks--;
    }
  };
  return { work, engine, verifier: { verify } };
}

const after = (ms: number) => async () => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return new Response("an opening");
};

test("a miner that opens slowly holds up the check of no other", async () => {
  const gate = Promise.withResolvers<Response>();
  const [slow, quick] = [serveMiner(() => gate.promise), serveMiner(after(0))];
  const { work, engine, verifier } = verifying(1);
  const score = localScorer(verifier, engine);
  const held = score({ receipt: receipts[0], url: slow, token: TOKEN });
  await vi.waitUntil(() => work.checks === 1, PATIENCE_MS);
  await score({ receipt: receipts[1], url: quick, token: TOKEN });
  expect(work.checks).toBe(1);
  gate.resolve(new Response("an opening"));
  expect((await held).verdict).toBe("honest");
});

test("networks run one after the other, whichever miner's steps they check", async () => {
  const url = serveMiner(after(0));
  const { work, engine, verifier } = verifying(1);
  const score = localScorer(verifier, engine);
  await Promise.all(receipts.map((receipt) => score({ receipt, url, token: TOKEN })));
  expect([work.mostChecks, work.most]).toEqual([2, 1]);
});

test("nor does it hold up its own other checks: each has its whole time", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  // Each answers a second before it is late; one after the other, five would take 145 s.
  vi.stubGlobal("fetch", async () => {
    await new Promise((resolve) => setTimeout(resolve, 29_000));
    return new Response("an opening");
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const { engine, verifier } = verifying(1);
  const score = localScorer(verifier, engine);
  const five = Promise.all(
    [0, 1, 2, 3, 4].map(() => score({ receipt: receipts[0], url: "http://slow:1", token: TOKEN })),
  );
  const verdicts = five.then((scores) => scores.map(({ verdict }) => verdict));
  let done: readonly string[] = [];
  void verdicts.then((all) => done = all);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(done).toEqual(Array(5).fill("honest"));
});

test("all openings of a check have one time together", async () => {
  let opened = 0;
  const slowly = after(150);
  const url = serveMiner(async () => {
    const answer = await slowly();
    opened++;
    return answer;
  });
  // None of them is late by itself.
  const { engine, verifier } = verifying(9);
  const score = localScorer(verifier, engine, { fetchMs: 400 });
  const error = await rejection(score({ receipt: receipts[0], url, token: TOKEN }));
  expect(error).toMatchObject({ code: "opening_withheld" });
  expect(opened).toBeLessThan(4);
});

test("a miner that leaves out the sketch is scored as failed, and nothing is opened", async () => {
  const { work, engine, verifier } = verifying(1);
  const { sketch: _, signature: __, ...unsigned } = receipts[0] as Receipt & { sketch: string };
  const receipt = await signReceipt(unsigned, openHotkey("1".repeat(64)).sign);
  const score = await localScorer(verifier, engine)({ receipt, url: "http://miner", token: TOKEN });
  expect(score).toMatchObject({ verdict: "invalid", similarity: 0 });
  expect(score.reasons).toEqual([expect.stringMatching(/it has no sketch/)]);
  expect(work.mostChecks).toBe(0);
});

test("a score keeps each step's error over its tolerance, and how far above honest ones they are", async () => {
  const steps = [4e-4, 5e-4, Infinity].map((velocityError) => ({ velocityError, tolerance: 1e-3 }));
  const report = { ...HONEST, steps: [...steps, { step: 3 }] } as unknown as Report;
  const never = () => Promise.reject(new Error("not asked for"));
  const engine = { predict: never, decode: never, encode: never };
  const tail = { floor: -2, between: 0.2, within: 0.2 };
  const scored = (tailOf?: LocalScorerOptions["tailOf"]) =>
    localScorer({ verify: () => Promise.resolve(report) }, engine, { tailOf })({
      ...{ receipt: receipts[0], url: "http://miner", token: TOKEN },
    });
  const { ratios, drift } = await scored(() => ({ backend: "chrome", tail }));
  // JSON has no infinity.
  expect(ratios).toEqual([0.4, 0.5, Number.MAX_VALUE]);
  expect(drift).toEqual({ gain: gainOf(ratios ?? [], tail), backend: "chrome" });
  expect(await scored()).not.toHaveProperty("drift");
});
