import { expect, test } from "vitest";
import { blendScores, creatorScores, subnetWeights } from "../../../core/incentive/mod.ts";

const NEURONS = [
  { hotkey: "a", coldkey: "A" },
  { hotkey: "b", coldkey: "B" },
  { hotkey: "c", coldkey: "B" },
];

test("creatorScores: at the creator's hotkey, or the first of their coldkey's; others' are nobody's", () => {
  const shares = [
    ...[{ creator: "c", share: 3 }, { creator: "B", share: 2 }, { creator: "A/user", share: 9 }],
    ...[{ creator: "elsewhere", share: 9 }, { creator: "a", share: 1 }],
  ];
  expect(creatorScores(shares, NEURONS)).toEqual([1, 2, 3]);
});

test("blendScores: each kind has its part, whatever its scale; all where the other has none", () => {
  expect(blendScores([30, 10, 0], [0, 0, 5], 0.2)).toEqual([0.6, 0.2, 0.2]);
  expect(blendScores([30, 10], [0, 0], 0.2)).toEqual([30, 10]);
  expect(blendScores([0, 0], [1, 2], 0.2)).toEqual([1, 2]);
});

test("subnetWeights: nothing while nobody has a score", () => {
  const limits = { minAllowedWeights: 2, maxWeightsLimit: 65535 };
  expect(subnetWeights([0, 0], limits)).toBeUndefined();
  expect(subnetWeights([0, 2, 0], limits)).toEqual({ uids: [0, 1], weights: [0, 65535] });
});
