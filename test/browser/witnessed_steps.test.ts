import { expect, test } from "vitest";
import { witnessedSteps } from "../../browser/app/worker/witnessed_steps.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { receiptId, signWitness } from "../../core/transcript/mod.ts";
import { chooseSteps } from "../../core/verifier/mod.ts";
import { startDevnet } from "../../server/chain/mod.ts";
import { sample } from "../core/transcript/fixture.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { rejection } from "../fixtures/rejection.ts";

const { receipt } = await sample({ steps: 12 });
const validator = openHotkey("0d".repeat(32));
const seen = { number: 1, hash: "ab".repeat(32) };
const witness = await signWitness(receiptId(receipt), seen, validator);

test("a tab draws by the block that a witness names and a node of the chain has", async () => {
  await using devnet = await startDevnet({ port: 0, blockMs: 50 });
  const order = { draw: 3, node: devnet.endpoint, witness: JSON.stringify({ witness }) };
  await expect.poll(() => devnet.chain.head.number, { timeout: PATIENCE_MS }).toBeGreaterThan(4);
  const choice = await witnessedSteps(receipt, order);
  expect(chooseSteps(receipt, choice)).toMatchObject({
    ...{ draw: "public", block: 4 },
    witnessed: { by: validator.address, at: 1, draws: 4 },
  });
});

test.each([
  ["no JSON", "0xabab", "receipt_invalid"],
  ["no witness", "{}", "receipt_invalid"],
  [
    "another receipt's",
    JSON.stringify({ ...witness, receipt: "00".repeat(32) }),
    "receipt_mismatch",
  ],
  ["no node", JSON.stringify(witness), "chain_unreachable"],
])("a witness that cannot draw is refused before any step is opened: %s", async (_, text, code) => {
  const order = { draw: 3, node: "ws://127.0.0.1:9", witness: text };
  expect(await rejection(witnessedSteps(receipt, order))).toMatchObject({ code });
});
