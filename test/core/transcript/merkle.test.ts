import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Hash,
  leafCount,
  leafHash,
  merkleRoot,
  proofLength,
  proveRun,
  rootOfRun,
  stepRun,
} from "../../../core/transcript/mod.ts";
import { codeOf, flipped } from "./hostile.ts";

const hashes = (size: number): Hash[] =>
  Array.from({ length: size }, (_, i) => leafHash(i, Uint8Array.of(i, i >> 8)));

const trees = fc.integer({ min: 1, max: 70 }).chain((size) =>
  fc.tuple(fc.constant(size), fc.nat(size - 1), fc.nat(size - 1))
).map(([size, a, b]) => ({ size, run: { first: Math.min(a, b), last: Math.max(a, b) } }));

test("rootOfRun finds the root from any run and its proof", () => {
  fc.assert(fc.property(trees, ({ size, run }) => {
    const leaves = hashes(size);
    const proof = proveRun(leaves, run);
    const own = leaves.slice(run.first, run.last + 1);
    expect(proof.length).toBe(proofLength(size, run));
    expect(rootOfRun(size, run, own, proof)).toEqual(merkleRoot(leaves));
  }));
});

test("rootOfRun finds another root when one bit of a leaf or of the proof is flipped", () => {
  fc.assert(fc.property(trees, fc.nat(), (tree, at) => {
    const { size, run } = tree;
    const leaves = hashes(size);
    const proof = proveRun(leaves, run);
    const parts = [...leaves.slice(run.first, run.last + 1), ...proof];
    const bit = at % (256 * parts.length);
    parts[bit >> 8] = flipped(parts[bit >> 8], bit & 255);
    const own = parts.splice(0, run.last - run.first + 1);
    expect(rootOfRun(size, run, own, parts)).not.toEqual(merkleRoot(leaves));
  }));
});

test.each([
  ["a hash too few", 8, { first: 2, last: 3 }, 2, 1],
  ["a hash too many", 8, { first: 2, last: 3 }, 2, 3],
  ["a leaf too few", 8, { first: 2, last: 3 }, 1, 2],
  ["a run past the end", 8, { first: 7, last: 8 }, 2, 3],
  ["a run backwards", 8, { first: 3, last: 2 }, 0, 3],
  ["a run before the start", 8, { first: -1, last: 0 }, 2, 3],
])("rootOfRun refuses %s", (_, size, run, leaves, proof) => {
  const call = () => rootOfRun(size, run, hashes(leaves), hashes(proof));
  expect(codeOf(call)).toBe("proof_invalid");
});

test("leafHash tells positions apart, and a leaf from a node", () => {
  const bytes = Uint8Array.of(1, 2);
  expect(leafHash(0, bytes)).not.toEqual(leafHash(1, bytes));
  expect(merkleRoot(hashes(2))).not.toEqual(
    leafHash(0, Uint8Array.of(...hashes(2).flatMap((h) => [...h]))),
  );
});

// 30 steps make 62 leaves: a tree of six levels.
test("proofLength of a second-order step is at most 9 hashes for 30 steps", () => {
  const lengths = Array.from(
    { length: 29 },
    (_, i) => stepRun(i + 1, { states: [1], denoised: [1, 1] }),
  )
    .map((run) => proofLength(leafCount(30), run));
  expect(Math.max(...lengths)).toBe(9);
});
