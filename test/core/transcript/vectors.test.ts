import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import {
  canonicalJson,
  checkSignature,
  decodeReceipt,
  leafHash,
  merkleRoot,
  openingSpec,
  planHash,
  receiptId,
} from "../../../core/transcript/mod.ts";
import { planV1 } from "../../../core/transcript/plan_v1.ts";
import { decodeSs58 } from "../../../core/keys/mod.ts";
import { openStep } from "../../../core/prover/mod.ts";
import {
  checkOpening,
  checkReceipt,
  checkStep,
  drawSteps,
  passesStep,
  publicWords,
} from "../../../core/verifier/mod.ts";
import version1 from "../../golden/transcript_vectors.json" with { type: "json" };
import version2 from "../../golden/transcript_vectors_v2.json" with { type: "json" };
import { SDE_CONFIG } from "./fixture.ts";

// Origin: test/golden/README.md.
describe.each([
  { version: 1, vectors: { ...version1, config: SDE_CONFIG } },
  { version: 2, vectors: version2 },
])("the golden transcript of version $version", ({ version, vectors }) => {
  const receipt = decodeReceipt(new TextEncoder().encode(vectors.receipt));
  const plan = planFromConfig(vectors.config, 4);
  const leaves = vectors.leaves.map((leaf) => hexToBytes(leaf));
  const hashes = leaves.map((leaf, position) => leafHash(position, leaf));

  test("has the golden hashes and root", () => {
    expect(hashes.map(bytesToHex)).toEqual(vectors.leafHashes);
    expect(bytesToHex(merkleRoot(hashes))).toBe(vectors.root);
  });

  test("has a receipt that is signed, and names its plan", () => {
    checkSignature(receipt);
    expect(receipt.version).toBe(version);
    expect(receiptId(receipt)).toBe(vectors.receiptId);
    expect(canonicalJson(version === 1 ? planV1(plan) : plan)).toBe(vectors.plan);
    expect(planHash(plan, receipt.version)).toBe(receipt.plan);
    expect(bytesToHex(decodeSs58(receipt.miner))).toBe(vectors.publicKey);
  });

  test.each(["start", 0, 1, 2, 3, "end"] as const)(
    "has an opening of %s that is made again, and passes levels 0 and 1",
    async (target) => {
      const golden = vectors.openings[`${target}`];
      const source = { hashes, leaf: (position: number) => Promise.resolve(leaves[position]) };
      const body = await openStep(source, receipt, plan, target);
      expect(bytesToHex(body)).toBe(golden.body);
      expect(openingSpec(receipt, plan, target).run).toEqual({
        first: golden.first,
        last: golden.last,
      });
      const committed = checkReceipt(receipt, { plan });
      const opening = checkOpening(hexToBytes(golden.body), committed, target);
      expect(passesStep(checkStep(opening))).toBe(true);
    },
  );
});

test.each(version1.draws)("the public draw of $count of $steps is the golden one", (draw) => {
  const source = () => publicWords(hexToBytes(draw.blockHash), draw.receipt);
  expect(Array.from({ length: 10 }, source())).toEqual(draw.words);
  expect(drawSteps(draw.steps, draw.count, source())).toEqual(draw.drawn);
});
