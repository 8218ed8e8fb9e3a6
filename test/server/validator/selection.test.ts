import { describe, expect, test } from "vitest";
import { drawByRank, sample } from "../../../server/validator/selection.ts";

/** A generator that anybody can repeat (Lehmer). */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => (state = state * 48271 % 2147483647) / 2147483647;
}

function counted(draws: number, draw: () => string | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let k = 0; k < draws; k++) {
    const name = draw() ?? "nobody";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe("drawByRank", () => {
  const peer = (name: string, reward: number, cheated = false) => ({ peer: name, reward, cheated });

  test("of n, the best has n chances, the next n - 1, ..., the last one", () => {
    const random = lehmer(1);
    const all = [peer("new", 0), peer("best", 3), peer("good", 1)];
    const counts = counted(60_000, () => drawByRank(all, 1, random)[0]);
    // 3/6, 2/6, 1/6; three standard deviations are below 400.
    expect(counts.best).toBeCloseTo(30_000, -3);
    expect(counts.good).toBeCloseTo(20_000, -3);
    expect(counts.new).toBeCloseTo(10_000, -3);
  });

  test("nobody twice, and never more than there are", () => {
    const all = [peer("a", 1), peer("b", 2), peer("c", 0)];
    expect(drawByRank(all, 9, lehmer(2)).toSorted()).toEqual(["a", "b", "c"]);
    expect(drawByRank([], 3, lehmer(2))).toEqual([]);
  });

  test("who cheated is asked only when nobody else is there", () => {
    const random = lehmer(3);
    const all = [peer("cheat", 9, true), peer("b", 0)];
    expect(counted(100, () => drawByRank(all, 1, random)[0])).toEqual({ b: 100 });
    expect(drawByRank([peer("cheat", 9, true)], 3, random)).toEqual(["cheat"]);
  });
});

test("sample: each is equally likely, none is drawn twice", () => {
  const random = lehmer(6);
  const counts: Record<string, number> = {};
  for (let k = 0; k < 20_000; k++) {
    const drawn = sample(["a", "b", "c", "d"], 2, random);
    expect(new Set(drawn).size).toBe(2);
    for (const name of drawn) counts[name] = (counts[name] ?? 0) + 1;
  }
  for (const name of "abcd") expect(counts[name]).toBeCloseTo(10_000, -3);
});
