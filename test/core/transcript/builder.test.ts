import { expect, test } from "vitest";
import {
  leafHash,
  leavesOfImages,
  merkleRoot,
  type TensorLeaf,
  TranscriptBuilder,
} from "../../../core/transcript/mod.ts";
import { codeOf } from "./hostile.ts";

const leaf = (kind: "x" | "d", index: number, length = 4): TensorLeaf => ({
  kind,
  index,
  bits: new Uint16Array(length).fill(index + 1),
});
const image = Uint8Array.of(1, 2, 3);

test("TranscriptBuilder commits to x0, d0, x1 and the image, in little-endian bytes", () => {
  const builder = new TranscriptBuilder([1, 2, 2]);
  expect([...builder.add(leaf("x", 0))]).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
  builder.add(leaf("d", 0));
  builder.add(leaf("x", 1));
  const { root, hashes } = builder.finish(image, 1);
  expect(hashes[2]).toEqual(leafHash(2, Uint8Array.of(2, 0, 2, 0, 2, 0, 2, 0)));
  expect(hashes[3]).toEqual(leafHash(3, image));
  expect(root).toEqual(merkleRoot(hashes));
});

test("TranscriptBuilder refuses leaves out of order, of another length, and an early or second end", () => {
  const builder = new TranscriptBuilder([1, 2, 2]);
  expect(codeOf(() => builder.add(leaf("d", 0)))).toBe("transcript_invalid");
  expect(codeOf(() => builder.add(leaf("x", 0, 3)))).toBe("shape_mismatch");
  builder.add(leaf("x", 0));
  expect(codeOf(() => builder.add(leaf("x", 0)))).toBe("transcript_invalid");
  expect(codeOf(() => builder.finish(image, 1))).toBe("transcript_invalid");
  builder.add(leaf("d", 0));
  builder.add(leaf("x", 1));
  expect(codeOf(() => builder.finish(image, 2))).toBe("transcript_invalid");
  builder.finish(image, 1);
  expect(codeOf(() => builder.finish(image, 1))).toBe("transcript_invalid");
});

test("leavesOfImages gives each image of a batch its own row", () => {
  const batch = { kind: "x", index: 0, bits: Uint16Array.of(1, 2, 3, 4, 5, 6) } as const;
  expect(leavesOfImages(batch, 3).map(({ bits }) => [...bits])).toEqual([[1, 2], [3, 4], [5, 6]]);
});
