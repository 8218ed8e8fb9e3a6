import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  areaUnder,
  DEFAULT_ROUND,
  type ExaminedStep,
  olderPassRate,
  passRate,
  quantile,
  relativeIncome,
  rocCurve,
} from "../../../core/adversary/mod.ts";

function examined(index: number, flagged: boolean, latentCosine = 1): ExaminedStep {
  const ratio = flagged ? 2 : 0.5;
  return {
    ...{ index, cheated: flagged, flagged, ratio, velocityError: 0, tolerance: 1 },
    ...{ similarity: 1, latentCosine },
  };
}

const numbers = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 30 });

describe("areaUnder is the share of pairs in which the cheat has the larger value", () => {
  test("ties count half (property)", () => {
    fc.assert(fc.property(numbers, numbers, (honest, cheated) => {
      const wins = honest.flatMap((a) => cheated.map((b) => b > a ? 1 : b === a ? 0.5 : 0));
      const share = wins.reduce((sum: number, win) => sum + win, 0) / wins.length;
      expect(areaUnder(rocCurve(honest, cheated))).toBeCloseTo(share, 9);
    }));
  });

  test("of points on a straight line only the ends are kept", () => {
    const apart = rocCurve([1, 2, 3], [4, 5, 6]);
    expect(apart).toEqual([[0, 0], [0, 1], [1, 1]].map(([falsePositives, truePositives]) => ({
      falsePositives,
      truePositives,
    })));
  });

  test("evidence that was refused is above every honest value", () => {
    expect(areaUnder(rocCurve([0, 1e9], [Infinity]))).toBe(1);
  });
});

test("passRate: a run of which nothing is flagged passes, one flagged throughout never does", () => {
  const of = (flagged: (i: number) => boolean) =>
    Array.from({ length: 30 }, (_, i) => examined(i, flagged(i)));
  expect(passRate(of(() => false), 3, 29)).toBe(1);
  expect(passRate(of(() => true), 3, 29)).toBe(0);
  // Besides the oddest and a late one, one of 28.
  expect(passRate(of((i) => i === 7), 3, 29)).toBeCloseTo(27 / 28, 12);
  expect(passRate(of((i) => i === 7), 3, 7)).toBe(0);
  expect(passRate(of((i) => i === 7), 1, 29)).toBeCloseTo(29 / 30, 12);
});

test("olderPassRate: three of N drawn, cosine c passes as c / 2 + 0.5 >= 0.85", () => {
  const cosines = [1, 0.71, 0.69, 0.99, -1];
  const rate = olderPassRate(cosines.map((latentCosine, i) => examined(i, false, latentCosine)));
  // All three from the three that pass: 1 of C(5,3).
  expect(rate).toBeCloseTo(1 / 10, 12);
});

test("quantile: the smallest value that so many do not exceed", () => {
  expect(quantile([3, 1, 2, Infinity], 0.5)).toBe(2);
  expect(quantile([3, 1, 2, Infinity], 1)).toBe(Infinity);
});

describe("relativeIncome", () => {
  test("honesty earns 1, and a cheat that is never seen what it saves", () => {
    expect(relativeIncome({ work: 1, similarity: 1, passes: 1 })).toBeCloseTo(1, 12);
    const bonus = { ...DEFAULT_ROUND, users: 0 };
    expect(relativeIncome({ work: 0.5, similarity: 1, passes: 1 }, bonus)).toBeCloseTo(
      2 ** 1.125,
      9,
    );
  });

  test("is lost with the first check that fails: 3.75 synthetic images and 5 of users", () => {
    const seen = relativeIncome({ work: 0.5, similarity: 1, passes: 0.6 });
    const unseen = relativeIncome({ work: 0.5, similarity: 1, passes: 1 });
    expect(seen / unseen).toBeCloseTo(0.6 ** 8.75, 9);
  });

  test("never rises with a lower pass rate (property)", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(fc.property(share, share, share, (a, b, work) => {
      const [less, more] = a < b ? [a, b] : [b, a];
      const income = (passes: number) => relativeIncome({ work, similarity: 0.9, passes });
      expect(income(less)).toBeLessThanOrEqual(income(more));
    }));
  });
});
