import fc from "fast-check";
import { expect, test } from "vitest";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import {
  decodeOpening,
  encodeOpening,
  openingBytes,
  openingSpec,
  type OpeningTarget,
  proveRun,
  stepRun,
} from "../../../core/transcript/mod.ts";
import { openStep } from "../../../core/prover/mod.ts";
import { sample, SDE_CONFIG } from "./fixture.ts";
import { codeOf, flipped, largestBuffer } from "./hostile.ts";

const { receipt, plan, source, leaves, hashes } = await sample();
const targets: OpeningTarget[] = ["start", 0, 1, 2, 3, 4, "end"];
const other = await sample({ seed: 43n });

async function opened(target: OpeningTarget) {
  const spec = openingSpec(receipt, plan, target);
  return { spec, bytes: await openStep(source, receipt, plan, target) };
}

test.each(targets)(
  "the opening of %s holds its run of leaves, in as many bytes as announced",
  async (target) => {
    const { spec, bytes } = await opened(target);
    const read = decodeOpening(bytes, spec);
    expect(bytes.length).toBe(openingBytes(spec));
    expect(read.leaves.map((bits) => new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength)))
      .toEqual(leaves.slice(spec.run.first, spec.run.last + 1));
  },
);

test("stepRun is the shortest run with what the row reads: four leaves in second order", () => {
  expect(stepRun(7, { states: [1], denoised: [1] })).toEqual({ first: 14, last: 16 });
  expect(stepRun(7, { states: [1], denoised: [1, 1] })).toEqual({ first: 13, last: 16 });
  expect(stepRun(7, { states: [1], denoised: [1, 1, 1] })).toEqual({ first: 11, last: 16 });
  expect(stepRun(7, { states: [1, 1], denoised: [1] })).toEqual({ first: 12, last: 16 });
});

test("a second-order opening at 1024x1024 takes at most 525,500 bytes, to 300 steps", () => {
  for (const steps of [2, 15, 30, 50, 100, 300]) {
    const long = planFromConfig(SDE_CONFIG, steps);
    const big = { ...receipt, steps, latent: [4, 128, 128] as [number, number, number] };
    const sizes = long.rows.map((_, i) => openingBytes(openingSpec(big, long, i)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(525_500);
  }
});

test("an opening with any single bit flipped is refused", async () => {
  for (const target of [2, "end"] as const) {
    const { spec, bytes } = await opened(target);
    fc.assert(
      fc.property(fc.nat(8 * bytes.length - 1), (bit) => {
        expect(codeOf(() => decodeOpening(flipped(bytes, bit), spec))).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  }
});

test("every single bit of header and proof counts", async () => {
  const { spec, bytes } = await opened(3);
  const header = bytes.length - 32 * 4 * 4;
  for (let bit = 0; bit < 8 * header; bit++) {
    expect(codeOf(() => decodeOpening(flipped(bytes, bit), spec))).toBeDefined();
  }
});

/** An opening by a miner that may choose all but the root. */
function forged(change: (header: string) => string, body?: Uint8Array): Uint8Array {
  const spec = openingSpec(receipt, plan, 2);
  const run = leaves.slice(spec.run.first, spec.run.last + 1);
  const honest = encodeOpening(spec, {
    leaves: run.map((leaf) => new Uint16Array(leaf.buffer)),
    proof: proveRun(hashes, spec.run),
  });
  const size = 8 + Number(new DataView(honest.buffer).getBigUint64(0, true));
  const header = new TextEncoder().encode(change(new TextDecoder().decode(honest.slice(8, size))));
  const data = body ?? honest.slice(size);
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

const same = (header: string) => header;
const run = leaves.slice(3, 7);
const join = (parts: readonly Uint8Array[]) => Uint8Array.of(...parts.flatMap((part) => [...part]));
const claiming = (length: bigint) => {
  const bytes = forged(same);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
};

test.each([
  ["nothing", new Uint8Array(), "opening_invalid"],
  ["a cut header", forged(same).slice(0, 100), "opening_invalid"],
  ["a cut body", forged(same).slice(0, -1), "opening_invalid"],
  ["a byte too many", Uint8Array.of(...forged(same), 0), "opening_invalid"],
  ["a header of 10 GB", claiming(10_000_000_000n), "opening_invalid"],
  ["a tensor of 10 GB", forged((h) => h.replace("[0,128]", "[0,10000000000]")), "opening_invalid"],
  ["a shape of 10 GB", forged((h) => h.replace("[4,4,4]", "[4,4,400000000]")), "shape_mismatch"],
  ["another shape", forged((h) => h.replace("[4,4,4]", "[4,2,8]")), "shape_mismatch"],
  ["leaves in another order", forged(same, join(run.toReversed())), "proof_invalid"],
  [
    "names in another order",
    forged((h) => h.replace("d.1", "?").replace("d.2", "d.1").replace("?", "d.2")),
    "opening_invalid",
  ],
  ["another name", forged((h) => h.replace("x.2", "x.7")), "opening_invalid"],
  [
    "a leaf of NaN",
    forged(same, join([...run.slice(0, 3), new Uint8Array(128).fill(0x7e)])),
    "proof_invalid",
  ],
  ["more white space", forged((h) => `${h}        `), "opening_invalid"],
  [
    "another step's number",
    forged((h) => h.replace('"target":"2"', '"target":"3"')),
    "opening_mismatch",
  ],
  [
    "another receipt's name",
    forged((h) => h.replace(/"receipt":"../, '"receipt":"zz')),
    "opening_mismatch",
  ],
  [
    "a proof of one hash",
    forged((h) => h.replace(/"proof":"[^"]{44}/, '"proof":"')),
    "proof_invalid",
  ],
  [
    "a proof that is no base64",
    forged((h) => h.replace(/"proof":"../, '"proof":"!!')),
    "proof_invalid",
  ],
  ["no metadata", forged((h) => h.replace("__metadata__", "__metadatum_")), "opening_invalid"],
  ["a list for a header", forged(() => "[]"), "opening_invalid"],
])("decodeOpening refuses %s with %3$s, and asks for no memory by it", (_, bytes, code) => {
  const spec = openingSpec(receipt, plan, 2);
  const largest = largestBuffer(() => expect(codeOf(() => decodeOpening(bytes, spec))).toBe(code));
  expect(largest).toBeLessThanOrEqual(openingBytes(spec));
});

test("decodeOpening refuses an honest opening of another step or receipt", async () => {
  const { spec } = await opened(2);
  const step = await openStep(source, receipt, plan, 3);
  const stranger = await openStep(other.source, other.receipt, plan, 2);
  expect(codeOf(() => decodeOpening(step, spec))).toBe("opening_mismatch");
  expect(codeOf(() => decodeOpening(stranger, spec))).toBe("opening_mismatch");
});

test("decodeOpening refuses committed leaves that are not finite", async () => {
  const bad = await sample({
    sketched: false,
    forge: (leaf) =>
      leaf.kind === "d" && leaf.index === 2
        ? { ...leaf, bits: leaf.bits.map((half, j) => j === 63 ? 0xfc00 : half) }
        : leaf,
  });
  const bytes = await openStep(bad.source, bad.receipt, plan, 2);
  expect(codeOf(() => decodeOpening(bytes, openingSpec(bad.receipt, plan, 2)))).toBe("not_finite");
});

test.each([-1, 5, 1.5, NaN])("openingSpec refuses step %s of 5", (step) => {
  expect(codeOf(() => openingSpec(receipt, plan, step))).toBe("challenge_invalid");
});

test("decodeOpening meets noise with an AppError", () => {
  const spec = openingSpec(receipt, plan, 2);
  const headers = fc.jsonValue().map((json) => forged(() => JSON.stringify(json)));
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), headers), (bytes) => {
    expect(codeOf(() => decodeOpening(bytes, spec))).toBeDefined();
  }));
});
