import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { checkOpaque, imageCodec } from "../../../core/image/mod.ts";
import { type Plan, planFromConfig } from "../../../core/schedule/mod.ts";
import {
  canonicalJson,
  checkSignature,
  decodeReceipt,
  decodeWitness,
  drawBlockOf,
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
  checkImage,
  checkOpening,
  checkReceipt,
  checkSketches,
  checkStatement,
  checkStep,
  drawSteps,
  passesSketches,
  passesStep,
  publicWords,
} from "../../../core/verifier/mod.ts";
import others from "../../golden/transcript_vectors_refused.json" with { type: "json" };
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

/**
 * Reads all that there is of a vector.
 * @returns the first stage that does not hold, by the names of the vectors; undefined where all do.
 */
async function refusedAt(evidence: Evidence): Promise<string | undefined> {
  let stage = "receipt";
  try {
    await readAll(evidence, (next) => stage = next);
    return undefined;
  } catch (error) {
    if (error instanceof AppError || error instanceof DoesNotHold) return stage;
    throw error;
  }
}

class DoesNotHold extends Error {}

/** @param at called before each stage. */
async function readAll(
  { receipt, plan, openings, witness, image }: Evidence,
  at: (stage: string) => void,
) {
  const read = decodeReceipt(new TextEncoder().encode(receipt ?? others.accepted[0].receipt));
  at("signature");
  checkSignature(read);
  const statement = checkStatement(read, {});
  if (plan !== undefined || openings) {
    at("plan");
    const own = JSON.parse(plan ?? String(others.accepted[0].plan)) as Plan;
    const committed = checkReceipt(statement, { plan: own });
    at("opening");
    const proven = Object.entries(openings ?? {}).map(([name, body]) =>
      checkOpening(
        hexToBytes(body ?? ""),
        committed,
        /^\d+$/.test(name) ? Number(name) : name as "start" | "end",
      )
    );
    at("arithmetic");
    for (const opening of proven) {
      if (!passesStep(checkStep(opening))) throw new DoesNotHold();
    }
    at("sketch");
    if (proven.length > 1 && !passesSketches(checkSketches(proven))) throw new DoesNotHold();
  }
  at("witness");
  if (witness) drawBlockOf(decodeWitness(witness), statement.id);
  at("image");
  if (image === undefined) return;
  const { bytes } = checkImage(statement, Uint8Array.from(hexToBytes(image)));
  checkOpaque(await imageCodec.decode(bytes, "png", read.request), "png");
}

interface Evidence {
  readonly receipt?: string;
  readonly plan?: string;
  readonly openings?: Readonly<Record<string, string | undefined>>;
  readonly witness?: unknown;
  readonly image?: string;
}

test.each(others.refused)("$name is refused for its $stage", async ({ stage, ...evidence }) => {
  expect(await refusedAt(evidence)).toBe(stage);
});

test("what the refused vectors are changes of is accepted", async () => {
  const { openings, plan, ...rest } = others.accepted[0];
  expect(await refusedAt({ ...rest, plan: String(plan), openings })).toBeUndefined();
});
