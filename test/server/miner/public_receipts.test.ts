import { expect, test } from "vitest";
import type { ImageAnswer } from "../../../core/protocol/mod.ts";
import { PublicReceipts } from "../../../server/miner/public_receipts.ts";

const image = (id: number, request = {}) =>
  ({ id: String(id), receipt: { request } }) as ImageAnswer;
const idsOf = (shown: PublicReceipts, limit = 1000) =>
  shown.list(limit).map(({ id }) => Number(id));

test("what is made is shown, the newest first, for as long as it can be opened", () => {
  let now = 0;
  const shown = new PublicReceipts(1000, () => now);
  shown.add([image(1), image(2)]);
  now = 600;
  shown.add([image(3)]);
  expect(idsOf(shown)).toEqual([3, 2, 1]);
  expect(idsOf(shown, 2)).toEqual([3, 2]);
  now = 1000;
  expect(idsOf(shown)).toEqual([3]);
  shown.forget("3");
  expect(idsOf(shown)).toEqual([]);
});

test("what was made of a user's file is not shown: its token would give the file too", () => {
  const shown = new PublicReceipts(1000, () => 0);
  shown.add([image(1, { image: "ab".repeat(32) }), image(2)]);
  expect(idsOf(shown)).toEqual([2]);
});

test("no more than 200 are held", () => {
  const shown = new PublicReceipts(1000, () => 0);
  for (let id = 1; id <= 201; id++) shown.add([image(id)]);
  expect(idsOf(shown)).toEqual(Array.from({ length: 200 }, (_, k) => 201 - k));
});
