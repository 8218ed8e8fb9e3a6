import { expect, test } from "vitest";
import { shareOf, WeightsSeen } from "../../../server/demo/weights_seen.ts";

const early = { uids: [1, 2, 3], weights: [47, 53, 0], block: 30 };
const late = { uids: [1, 2], weights: [65535, 0], block: 52 };

test("an epoch is shown with the weights that were set before it, not with newer ones", () => {
  const seen = new WeightsSeen();
  for (const weights of [undefined, early, early, late]) seen.add(weights);
  expect(seen.at(29)).toBeUndefined();
  expect([30, 40, 51].map((epoch) => seen.at(epoch))).toEqual([early, early, early]);
  expect(seen.at(52)).toBe(late);
});

test("shareOf is in percent of all, and 0 where there is no weight", () => {
  expect([1, 2, 3, 9].map((uid) => shareOf(early, uid))).toEqual([47, 53, 0, 0]);
  expect(shareOf(undefined, 1)).toBe(0);
  expect(shareOf({ uids: [1], weights: [0], block: 1 }, 1)).toBe(0);
});
