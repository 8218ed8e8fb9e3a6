import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../../server/http/mod.ts";
import { contentEarnings } from "../../../server/validator/content_earnings.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { WEIGHTS_VERSION, WeightsLoop, weightsOf } from "../../../server/validator/weights_loop.ts";
import { type Metagraph, openWallet } from "../../../server/chain/mod.ts";

function subnet(hotkeys: readonly string[], minAllowedWeights = 1): Metagraph {
  return {
    neurons: hotkeys.map((hotkey, uid) => ({ uid, hotkey, coldkey: `${hotkey} cold` })),
    hyperparameters: { minAllowedWeights, maxWeightsLimit: 65535, weightsVersion: 3 },
  } as unknown as Metagraph;
}

const SCORE = { similarity: 1, velocityError: 0, worst: 0, reasons: [] };

function tested(ledger: Ledger, hotkey: string, rps: number, verdict: "honest" | "suspect") {
  ledger.tests.add(hotkey, {
    id: hotkey,
    requestsPerSecond: rps,
    errorRate: 0,
    requests: 4,
    carried: 4,
  }, [
    { id: hotkey, hotkey, source: "synthetic", score: { ...SCORE, verdict } },
  ]);
}

test("by what was measured; a cheater and the new owner of a uid have nothing", () => {
  using ledger = new Ledger(":memory:");
  tested(ledger, "5Fast", 2, "honest");
  tested(ledger, "5Slow", 1, "honest");
  tested(ledger, "5Cheat", 9, "suspect");
  const before = weightsOf(subnet(["5Validator", "5Fast", "5Slow", "5Cheat"]), ledger);
  // 0.5^1.125 of 65535, rounded.
  expect(before).toEqual({ uids: [1, 2], weights: [65535, 30048] });
  const after = weightsOf(subnet(["5Validator", "5Other", "5Slow", "5Cheat"]), ledger);
  expect(after).toEqual({ uids: [2], weights: [65535] });
});

// Subtensor's default is 1024; its check of the length counts uids with a weight of 0 too
// (pallets/subtensor/src/subnets/weights.rs, check_length).
test.each([
  [2, [1, 2], [65535, 30048]],
  [3, [0, 1, 2], [0, 65535, 30048]],
  [4, [0, 1, 2, 3], [0, 65535, 30048, 0]],
  [8, [0, 1, 2, 3], [0, 65535, 30048, 0]],
  [1024, [0, 1, 2, 3], [0, 65535, 30048, 0]],
])("a subnet that demands %i weights gets them, and a cheater still has nothing", (...of) => {
  const [least, uids, weights] = of;
  using ledger = new Ledger(":memory:");
  tested(ledger, "5Fast", 2, "honest");
  tested(ledger, "5Slow", 1, "honest");
  tested(ledger, "5Cheat", 9, "suspect");
  const neurons = subnet(["5Validator", "5Fast", "5Slow", "5Cheat"], least);
  expect(weightsOf(neurons, ledger)).toEqual({ uids, weights });
});

describe("WeightsLoop", () => {
  /** A chain that includes weights so many blocks after they are sent. */
  async function looping(
    ledger: Ledger,
    included: () => Promise<number>,
    revealed?: () => Promise<number | undefined>,
  ) {
    let emit: (block: number) => void = () => {};
    const sent: bigint[] = [];
    const events: string[] = [];
    const loop = new WeightsLoop({
      ...{ ledger, epochLength: 100, log: (event) => events.push(event) },
      wallet: await openWallet({ path: "", name: "", hotkey: "//Alice", network: "devnet" }),
      chain: {
        block: 1000,
        onBlock: (listener) => {
          emit = (block) => listener(block, "0x");
          return () => {};
        },
        mechanisms: () => Promise.resolve(1),
        metagraph: () => Promise.resolve(subnet(["5Validator", "5Fast"])),
        setWeights: async ({ versionKey }) => {
          sent.push(versionKey);
          const reveal = revealed && { round: 1n, from: 1120, until: 1160 };
          return { way: "set", block: await included(), blockHash: "0x", reveal } as never;
        },
        weightsRevealed: revealed ?? (() => Promise.reject(new Error("nothing was committed"))),
      },
    });
    const at = async (block: number) => {
      emit(block);
      await new Promise((resolve) => setTimeout(resolve));
    };
    return { loop, at, sent, events };
  }

  test("counts the next epoch from the block that took the weights, with a version of its own", async () => {
    using ledger = new Ledger(":memory:");
    tested(ledger, "5Fast", 2, "honest");
    const { loop, at, sent } = await looping(ledger, () => Promise.resolve(1112));
    await at(1099);
    expect(sent).toEqual([]);
    await at(1100);
    expect(sent).toEqual([WEIGHTS_VERSION]);
    expect(ledger.weights.last()?.block).toBe(1112);
    await at(1211);
    expect(sent).toHaveLength(1);
    await at(1212);
    expect(sent).toHaveLength(2);
    await loop[Symbol.asyncDispose]();
  });

  test("goes by a chain restarted from genesis, from its first blocks on", async () => {
    using ledger = new Ledger(":memory:");
    tested(ledger, "5Fast", 2, "honest");
    // Of the old chain, which was far longer.
    ledger.weights.add({ block: 50_000, uids: [1], weights: [65535] });
    const { loop, at, sent } = await looping(ledger, () => Promise.resolve(108));
    await at(7);
    await at(106);
    expect(sent).toHaveLength(0);
    await at(107);
    expect(sent).toHaveLength(1);
    await loop[Symbol.asyncDispose]();
  });

  test("tries again a few blocks after a refusal, and says so", async () => {
    using ledger = new Ledger(":memory:");
    tested(ledger, "5Fast", 2, "honest");
    const refused = () => Promise.reject(new Error("version_key is 10, the subnet demands 20"));
    const { loop, at, sent, events } = await looping(ledger, refused);
    await at(1100);
    await at(1104);
    expect(sent).toHaveLength(1);
    await at(1105);
    expect(sent).toHaveLength(2);
    expect(events).toEqual(["weights not set", "weights not set"]);
    await loop[Symbol.asyncDispose]();
  });

  test.each([
    ["weights revealed", () => Promise.resolve(1121)],
    ["weights not revealed", () => Promise.resolve(undefined)],
    ["weights not watched", () => Promise.reject(new Error("closed"))],
  ])("of weights that were committed it says: %s", async (words, revealed) => {
    using ledger = new Ledger(":memory:");
    tested(ledger, "5Fast", 2, "honest");
    const { loop, at, events } = await looping(ledger, () => Promise.resolve(1102), revealed);
    await at(1100);
    await loop[Symbol.asyncDispose]();
    expect(events).toEqual(["weights set", words]);
  });
});

test("while nobody has earned anything nothing is said", () => {
  using ledger = new Ledger(":memory:");
  expect(weightsOf(subnet(["5A", "5B"]), ledger)).toBeUndefined();
  tested(ledger, "5A", 9, "suspect");
  expect(weightsOf(subnet(["5A", "5B"]), ledger)).toBeUndefined();
});

test("where a subnet has one mechanism, creators have their share of its weights", () => {
  using ledger = new Ledger(":memory:");
  tested(ledger, "5Fast", 2, "honest");
  const neurons = subnet(["5Validator", "5Fast", "5Creator"]);
  const shares = [{ creator: "5Creator", share: 7 }];
  expect(weightsOf(neurons, ledger, { shares, share: 0.2 }))
    .toEqual({ uids: [1, 2], weights: [65535, 16384] });
  // Nobody created: those who compute have all.
  expect(weightsOf(neurons, ledger, { shares: [], share: 0.2 }))
    .toEqual({ uids: [1], weights: [65535] });
});

test("what a content server said counts on through its outage, for a day", async () => {
  const creators = [{ creator: "5Creator", share: 7 }];
  let up = true;
  const server = await listen(
    { hostname: "127.0.0.1", port: 0 },
    () => up ? Response.json({ at: 1, creators }) : new Response("gone", { status: 502 }),
  );
  onTestFinished(() => server.shutdown());
  let now = 0;
  const read = contentEarnings(`http://127.0.0.1:${server.addr.port}/`, () => now);
  expect(await read()).toEqual(creators);
  up = false;
  now = 23 * 3600 * 1000;
  expect(await read()).toEqual(creators);
  now = 25 * 3600 * 1000;
  expect(await rejection(read())).toMatchObject({ code: "download_failed" });
});
