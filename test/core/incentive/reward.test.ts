import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_REWARD, type MinerMetrics, rewardOf } from "../../../core/incentive/mod.ts";

const honest: MinerMetrics = {
  requestsPerSecond: 2,
  similarity: 0.99,
  errorRate: 0.05,
  served: 10,
  failed: 1,
  cheated: false,
};

test("the formula of the design, by hand", () => {
  const expected = (2 * 60 / 128) ** 1.125 * 0.99 ** 8 * 0.95 ** 2 + 10 * 0.0001 - 0.0008;
  expect(rewardOf(honest)).toBeCloseTo(expected, 12);
});

const metrics = fc.record({
  requestsPerSecond: fc.double({ min: 0, max: 100, noNaN: true }),
  similarity: fc.double({ min: -1, max: 1, noNaN: true }),
  errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
  served: fc.nat(1000),
  failed: fc.nat(1000),
  cheated: fc.constant(false),
});
const step = fc.double({ min: 0, max: 1, noNaN: true });

test.each([
  [
    "throughput",
    (m: MinerMetrics, by: number) => ({ requestsPerSecond: m.requestsPerSecond + by }),
  ],
  ["similarity", (m: MinerMetrics, by: number) => ({ similarity: m.similarity + by })],
  ["success", (m: MinerMetrics, by: number) => ({ errorRate: m.errorRate - by })],
  ["users served", (m: MinerMetrics) => ({ served: m.served + 1 })],
  ["users not failed", (m: MinerMetrics) => ({ failed: Math.max(0, m.failed - 1) })],
])("more %s never pays less", (_, better) => {
  fc.assert(fc.property(metrics, step, (measured, by) => {
    expect(rewardOf({ ...measured, ...better(measured, by) })).toBeGreaterThanOrEqual(
      rewardOf(measured),
    );
  }));
});

test("failing a user costs more than serving one earns", () => {
  const before = rewardOf(honest);
  const after = rewardOf({ ...honest, served: honest.served + 1, failed: honest.failed + 1 });
  expect(after).toBeLessThan(before);
});

test("a cheater gets nothing, whatever else was measured", () => {
  fc.assert(fc.property(metrics, (measured) => {
    expect(rewardOf({ ...measured, cheated: true })).toBe(0);
  }));
});

test("what was not measured is worth nothing, and never NaN", () => {
  const number = fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 0.5, 2);
  const anything = fc.record({
    requestsPerSecond: number,
    similarity: number,
    errorRate: number,
    served: number,
    failed: number,
    cheated: fc.boolean(),
  });
  fc.assert(fc.property(anything, (measured) => {
    expect(rewardOf(measured)).toBeGreaterThanOrEqual(0);
    expect(rewardOf(measured)).toBeLessThan(Infinity);
  }));
  const nothing = { ...honest, requestsPerSecond: NaN, similarity: NaN, errorRate: NaN };
  expect(rewardOf({ ...nothing, served: 0, failed: 0 })).toBe(0);
});

test("the exponents are configuration", () => {
  const flat = { ...DEFAULT_REWARD, throughputExponent: 1, similarityExponent: 0 };
  const measured = { ...honest, errorRate: 0, served: 0, failed: 0, similarity: 0.5 };
  expect(rewardOf(measured, flat)).toBeCloseTo(120 / 128, 12);
});
