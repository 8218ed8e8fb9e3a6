import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  encodeReceipt,
  receiptFromJson,
  receiptId,
  signReceipt,
} from "../../core/transcript/mod.ts";
import { signer } from "../core/transcript/fixture.ts";
import sketched from "../golden/transcript_vectors_sketches.json" with { type: "json" };
import others from "../golden/transcript_vectors_refused.json" with { type: "json" };
import version1 from "../golden/transcript_vectors.json" with { type: "json" };
import version2 from "../golden/transcript_vectors_v2.json" with { type: "json" };
import {
  draw,
  jsonHash,
  leafHash,
  mustBeImageOf,
  mustBePlanOf,
  mustFollow,
  mustLeadTo,
  noise,
  oddestStep,
  plainDraw,
  publicKeyOf,
  publicWords,
  rangeOf,
  readOpening,
  readReceipt,
  readWitness,
  rootOf,
  sketchesOf,
} from "./reader.mjs";

// The reader knows FORMAT.md alone; the vectors are by this project's encoder (test/golden/README.md).

const hex = (text: string) => Buffer.from(text, "hex");
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const targetOf = (name: string) => /^\d+$/.test(name) ? Number(name) : name;

function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at] ^= 1 << (at % 8);
  return other;
}

interface RowV1 extends Readonly<Record<string, number>> {
  readonly states: number;
  readonly history: number;
}

function asLists(plan: { readonly rows: readonly RowV1[] }) {
  const rows = plan.rows.map(({ keep, x1, x2, x3, d0, d1, d2, d3, states, history, ...row }) => ({
    ...row,
    states: [keep, x1, x2, x3].slice(0, states),
    denoised: [d0, d1, d2, d3].slice(0, history),
  }));
  return { ...plan, rows };
}

const all = [
  { name: "version 1", ...version1 },
  { name: "version 2, without sketches", ...version2 },
  ...sketched.cases,
];

describe.each(all)("$name", (vectors) => {
  const read = readReceipt(Buffer.from(vectors.receipt));
  const plan = JSON.parse(vectors.plan);
  // Version 1's vector has the plan in its own spelling, which its hash is of.
  const rows = vectors.name === "version 1" ? asLists(plan) : plan;
  const leaves = vectors.leaves.map(hex);
  const openings = Object.entries(vectors.openings).map(([name, { body }]) => ({
    target: targetOf(name),
    body: hex(body),
  }));

  test("receipt, plan, leaves and root", () => {
    expect(read.id).toBe(vectors.receiptId);
    expect(jsonHash(plan)).toBe(read.receipt.plan);
    mustBePlanOf(read, rows);
    const hashes = leaves.map((leaf, k) => leafHash(k, leaf));
    expect(hashes.map(text)).toEqual(vectors.leafHashes);
    expect(text(rootOf(hashes))).toBe(read.receipt.root);
  });

  test("openings, to level 1", () => {
    const proven = openings.map(({ target, body }) => readOpening(body, read, rows, target));
    const start = proven.find(({ target }) => target === "start");
    for (const opening of proven) mustFollow(read, rows, opening, start);
    if (read.receipt.sketch !== undefined) mustLeadTo(read, rows, proven);
    const last = proven.find(({ target }) => target === "end");
    expect(last?.image && text(last.image)).toBe(vectors.leafHashes.at(-1));
  });

  test("no bit of a receipt or an opening is free", () => {
    const bytes = Buffer.from(vectors.receipt);
    for (let k = 0; k < bytes.length; k += 37) {
      expect(() => readReceipt(flipped(bytes, k)), `${k}`).toThrow();
    }
    for (const { target, body } of openings) {
      for (let k = 0; k < body.length; k += 29) {
        expect(() => readOpening(flipped(body, k), read, rows, target), `${target} ${k}`).toThrow();
      }
    }
  });
});

describe.each(sketched.cases)("$name", (vectors) => {
  const read = readReceipt(Buffer.from(vectors.receipt));
  const plan = JSON.parse(vectors.plan);
  const { blockHash, words, draws } = vectors.public;

  test("its oddest step, public draws, witness and image", () => {
    expect(oddestStep(sketchesOf(read.receipt))).toBe(vectors.oddest);
    const source = publicWords(blockHash, read.id);
    expect(Array.from({ length: words.length }, () => source())).toEqual(words);
    for (const { count, drawn } of draws) {
      expect(draw(read.receipt, count, publicWords(blockHash, read.id))).toEqual(drawn);
    }
    expect(readWitness(vectors.witness, read.id)).toBe(vectors.drawBlock);
    mustBeImageOf(read, hex(vectors.leaves.at(-1) ?? ""));
  });

  test("another prediction, state, source, sketch, witness or image is refused", () => {
    const proven = Object.entries(vectors.openings).map(([name, { body }]) =>
      readOpening(hex(body), read, plan, targetOf(name))
    );
    const start = proven.find(({ target }) => target === "start");
    for (const { target, leaves } of proven.filter((each) => each.target !== "end")) {
      const name = target === "start" ? "x.0" : `x.${Number(target) + 1}`;
      const other = new Map(leaves).set(
        name,
        Uint16Array.from(leaves.get(name) ?? [], (bits) => bits ^ 0x40),
      );
      expect(() => mustFollow(read, plan, { target, leaves: other }, start), name).toThrow();
    }
    const lie = sketchesOf(read.receipt).map((own) => own.map((value) => value + 0.001));
    const receipt = {
      ...read.receipt,
      sketch: Buffer.from(lie.flatMap((own) => [...new Uint8Array(own.buffer)])).toString("base64"),
    };
    expect(() => mustLeadTo({ ...read, receipt }, plan, proven)).toThrow("sketch");
    const witness = { ...vectors.witness, block: { ...vectors.witness.block, number: 1 } };
    expect(() => readWitness(witness, read.id)).toThrow("signature");
    const image = hex(vectors.leaves.at(-1) ?? "");
    expect(() => mustBeImageOf(read, flipped(image, image.length - 1))).toThrow("image");
  });
});

test("what a request says beyond what the reader knows is kept, and signed", async () => {
  const [{ receipt: own }] = sketched.cases;
  const { signature: _, ...statement } = receiptFromJson(JSON.parse(own));
  const image = "ab".repeat(32);
  const control = [{ image, network: "embedded", scale: 1, preprocessor: "none" }];
  const other = await signReceipt({
    ...statement,
    request: { ...statement.request, control, later: { than: ["this", 1.5, null] } },
    model: { ...statement.model, control: "cd".repeat(32) },
  }, signer);
  expect(readReceipt(Buffer.from(encodeReceipt(other))).id).toBe(receiptId(other));
});

test("a receipt of an inpainting model has three sources before x_0", async () => {
  const { receipt: own, plan } = sketched.cases[3];
  const { signature: _, ...statement } = receiptFromJson(JSON.parse(own));
  if (statement.version !== 2) throw new Error("it is of version 2");
  const other = await signReceipt({ ...statement, sources: ["s", "m", "k"] }, signer);
  const { receipt } = readReceipt(Buffer.from(encodeReceipt(other)));
  expect(rangeOf(receipt, JSON.parse(plan), "start")).toEqual([0, 3]);
  expect(rangeOf(receipt, JSON.parse(plan), "end")).toEqual([11, 11]);
});

test("noise, addresses, the manifest and draws without sketches", () => {
  for (const { seed, draw, values } of sketched.noise) {
    const own = [...noise(seed, draw, values.length)];
    expect(Math.max(...own.map((value, k) => Math.abs(value - values[k])))).toBeLessThanOrEqual(
      2e-6,
    );
  }
  for (const [address, key] of Object.entries(sketched.publicKeys)) {
    expect(text(publicKeyOf(address))).toBe(key);
    expect(() => publicKeyOf(address.replace(/.$/, "1"))).toThrow("address");
  }
  expect(jsonHash(sketched.manifest.files)).toBe(sketched.manifest.hash);
  for (const { steps, count, blockHash, receipt, drawn } of version1.draws) {
    expect(plainDraw(steps, count, publicWords(blockHash, receipt))).toEqual(drawn);
  }
});

test.each([
  ["bytes behind the end", (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)])],
  [
    "another chunk",
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 33), bytes.subarray(33)].toReversed()),
  ],
])("a PNG with %s is not canonical", (_, change) => {
  const [{ receipt: own, leaves }] = sketched.cases;
  const { receipt } = readReceipt(Buffer.from(own));
  const bytes = change(hex(leaves.at(-1) ?? ""));
  const image = { ...receipt.image, bytes: bytes.length, sha256: sha256(bytes) };
  expect(() => mustBeImageOf({ receipt: { ...receipt, image } }, bytes)).toThrow("PNG");
});

/** What is wrong comes out at one stage; those before it hold. */
type Stage =
  | "receipt"
  | "signature"
  | "plan"
  | "opening"
  | "arithmetic"
  | "sketch"
  | "witness"
  | "image";

interface Evidence {
  readonly receipt?: string;
  readonly plan?: string;
  readonly openings?: Readonly<Record<string, string | undefined>>;
  readonly witness?: unknown;
  readonly image?: string;
}

/** Reads all that there is of it, stage by stage. @returns the one that refuses, and why. */
function readAll(
  { receipt, plan, openings, witness, image }: Evidence,
): { stage?: Stage; why?: string } {
  let stage: Stage = "receipt";
  try {
    const read = readReceipt(Buffer.from(receipt ?? others.accepted[0].receipt));
    if (plan !== undefined || openings) {
      stage = "plan";
      const rows = JSON.parse(plan ?? String(others.accepted[0].plan));
      mustBePlanOf(read, rows);
      stage = "opening";
      const proven = Object.entries(openings ?? {}).map(([name, body]) =>
        readOpening(hex(body ?? ""), read, rows, targetOf(name))
      );
      stage = "arithmetic";
      const start = proven.find(({ target }) => target === "start");
      for (const opening of proven) mustFollow(read, rows, opening, start);
      stage = "sketch";
      if (start) mustLeadTo(read, rows, proven);
    }
    stage = "witness";
    if (witness) readWitness(witness, read.id);
    stage = "image";
    if (image !== undefined) mustBeImageOf(read, hex(image));
    return {};
  } catch (error) {
    const why = String(error);
    return { stage: why.includes("signature: ") && stage === "receipt" ? "signature" : stage, why };
  }
}

test.each(others.refused)("$name is refused for its $stage", ({ stage, ...evidence }) => {
  const found = readAll(evidence);
  expect(found.stage, found.why).toBe(stage);
  // In words of the reader's own, not of a value that it stumbled over.
  expect(found.why).toMatch(/^(Error|SyntaxError): /);
});

const [backed, { row, times, last, ...long }] = others.accepted;

test.each([
  { ...backed, plan: String(backed.plan) },
  { ...long, plan: JSON.stringify(longPlan()) },
])("$name, all of it", (vectors) => {
  expect(readAll(vectors)).toEqual({});
  const { receipt, id } = readReceipt(Buffer.from(vectors.receipt));
  expect(id).toBe(vectors.receiptId);
  expect(oddestStep(sketchesOf(receipt))).toBe(vectors.oddest);
  for (const { count, drawn } of long.public?.draws ?? []) {
    if (vectors.name !== long.name) continue;
    expect(draw(receipt, count, publicWords(String(long.public?.blockHash), id))).toEqual(drawn);
  }
});

/** The same row so often, and the last. */
function longPlan() {
  const rows = [...Array(times).fill(row), last];
  return { ...Object(long.plan), rows, timesteps: rows.map(({ timestep }) => timestep) };
}
