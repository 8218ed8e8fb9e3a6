import { expect, test } from "vitest";
import { openHotkey } from "../../../core/keys/mod.ts";
import {
  decodeWitness,
  drawBlockOf,
  type Receipt,
  receiptId,
  signReceipt,
  signWitness,
  sketchesOf,
} from "../../../core/transcript/mod.ts";
import { chooseSteps, oddestStep } from "../../../core/verifier/mod.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { codeOf } from "./hostile.ts";
import { sample, signer } from "./fixture.ts";

const { receipt } = await sample({ steps: 20 });
const validator = openHotkey("0d".repeat(32));
const seen = { number: 4_000_000, hash: "ab".repeat(32) };
const witness = await signWitness(receiptId(receipt), seen, validator);

/** Of a chain that nobody can foresee. */
const hashOf = (number: number) => bytesToHex(sha256(new TextEncoder().encode(`block ${number}`)));

test("a witness names its validator, and the third block after the one it saw", () => {
  expect(decodeWitness(JSON.parse(JSON.stringify(witness)))).toEqual(witness);
  expect(drawBlockOf(witness, receiptId(receipt))).toBe(4_000_003);
});

test.each([
  ["another receipt", { receipt: "00".repeat(32) }, "receipt_mismatch"],
  ["a later block", { block: { ...seen, number: 4_000_001 } }, "signature_invalid"],
  ["another block", { block: { ...seen, hash: "ac".repeat(32) } }, "signature_invalid"],
  ["another validator", { validator: receipt.miner }, "signature_invalid"],
  ["another signature", { signature: "00".repeat(64) }, "signature_invalid"],
])("a witness with %s is refused", (_, change, code) => {
  expect(codeOf(() => drawBlockOf({ ...witness, ...change }, receiptId(receipt)))).toBe(code);
});

test.each([
  ["no object", null],
  ["an unknown field", { ...witness, more: 1 }],
  ["a block that is no number", { ...witness, block: { ...seen, number: "1" } }],
  ["a hash with 0x", { ...witness, block: { ...seen, hash: `0x${"ab".repeat(32)}` } }],
  ["no address", { ...witness, validator: "5Alice" }],
])("decodeWitness refuses %s", (_, json) => {
  expect(codeOf(() => decodeWitness(json))).toBe("receipt_invalid");
});

test("a witnessed receipt is drawn by the block that its witness says, and by no other", () => {
  const blockHash = hashOf(4_000_003);
  const drawn = chooseSteps(receipt, { block: 4_000_003, blockHash, witness });
  expect(drawn).toEqual({
    ...chooseSteps(receipt, { blockHash }),
    block: 4_000_003,
    witnessed: { by: validator.address, at: 4_000_000, draws: 4_000_003 },
  });
  const early = () => chooseSteps(receipt, { block: 4_000_002, blockHash, witness });
  expect(codeOf(early)).toBe("challenge_invalid");
});

/** The same image again, signed at another millisecond: another receipt, at no cost. */
async function again(of: Receipt, tries: number): Promise<Receipt> {
  const { signature: _, ...statement } = of;
  const { started, finished } = of.times;
  return await signReceipt(
    { ...statement, times: { started, finished: finished + tries } },
    signer,
  );
}

/** So many that few draws of three miss them all, the oddest step not among them. */
const ODDEST = oddestStep(sketchesOf(receipt) ?? []);
const FORGED = Array.from({ length: 20 }, (_, i) => i).filter((i) => i % 5 > 0 && i !== ODDEST);

function misses(of: Receipt, hash: string): boolean {
  return !chooseSteps(of, { blockHash: hash }).steps.some((step) => FORGED.includes(step));
}

// A draw misses them with less than 0.1: one of a few dozen receipts is good for a known block.
test("a miner that knows the block grinds its receipt, and one that does not cannot", async () => {
  const known = hashOf(4_000_003);
  let ground = receipt;
  for (let tries = 1; !misses(ground, known) && tries < 200; tries++) {
    ground = await again(receipt, tries);
  }
  // Without a witness the block is whichever the miner knew: the draw misses, always.
  expect(misses(ground, known)).toBe(true);

  // With one, the block is made after the receipt was in other hands. What was ground is worth
  // nothing: over many blocks it is missed as often as one that was not.
  const rate = (of: Receipt) =>
    Array.from({ length: 400 }, (_, k) => misses(of, hashOf(5_000_000 + k)))
      .filter(Boolean).length / 400;
  // Of 400 draws a share has a deviation of 0.025 at most.
  expect(Math.abs(rate(ground) - rate(receipt))).toBeLessThan(0.125);
  expect(rate(ground)).toBeLessThan(0.25);

  // And a receipt that is ground later is not the witnessed one.
  expect(ground).not.toEqual(receipt);
  const late = () => chooseSteps(ground, { blockHash: known, witness });
  expect(codeOf(late)).toBe("receipt_mismatch");
});
