import { expect, test } from "vitest";
import { Ledger } from "../../../server/validator/ledger.ts";
import { weightsOf } from "../../../server/validator/weights_loop.ts";
import type { Metagraph } from "../../../server/chain/mod.ts";

function subnet(hotkeys: readonly string[]): Pick<Metagraph, "neurons" | "hyperparameters"> {
  return {
    neurons: hotkeys.map((hotkey, uid) => ({ uid, hotkey })),
    hyperparameters: { minAllowedWeights: 1, maxWeightsLimit: 65535 },
  } as unknown as Metagraph;
}

const SCORE = { similarity: 1, velocityError: 0, worst: 0, reasons: [] };

function tested(ledger: Ledger, hotkey: string, rps: number, verdict: "honest" | "suspect") {
  ledger.addTest(hotkey, { id: hotkey, requestsPerSecond: rps, errorRate: 0, requests: 4 }, [
    { id: hotkey, hotkey, source: "synthetic", score: { ...SCORE, verdict } },
  ]);
}

test("by what was measured; a cheater and whoever took over a uid have nothing", () => {
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

test("while nobody has earned anything nothing is said", () => {
  using ledger = new Ledger(":memory:");
  expect(weightsOf(subnet(["5A", "5B"]), ledger)).toBeUndefined();
  tested(ledger, "5A", 9, "suspect");
  expect(weightsOf(subnet(["5A", "5B"]), ledger)).toBeUndefined();
});
