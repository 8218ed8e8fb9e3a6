import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DEFAULT_REWARD,
  type MinerMetrics,
  rewardOf,
  SUBNET_30_REWARD,
} from "../../../core/incentive/mod.ts";

const honest: MinerMetrics = {
  requestsPerSecond: 2,
  similarity: 0.99,
  errorRate: 0.05,
  served: 10,
  failed: 1,
  work: { served: 30, failed: 1, refused: 4 },
  cheated: false,
};
const QUALITY = (2 * 60 / 128) ** 1.125 * 0.99 ** 8 * 0.95 ** 2;

test("the plain formula, of Subnet 30, by hand", () => {
  expect(rewardOf(honest, SUBNET_30_REWARD)).toBeCloseTo(QUALITY + 10 * 0.0001 - 0.0008, 12);
});

test("service to users is a factor: what was done of what was asked, failures eightfold", () => {
  expect(rewardOf(honest)).toBeCloseTo(QUALITY * 32 / (32 + 8 + 4), 12);
});

test("who refuses users loses in proportion, and by the plain formula nothing", () => {
  const refusing = { ...honest, work: { served: 48, failed: 0, refused: 50 } };
  const serving = { ...honest, work: { served: 98, failed: 0, refused: 0 } };
  expect(rewardOf(refusing) / rewardOf(serving)).toBeCloseTo(0.5, 12);
  expect(rewardOf(refusing, SUBNET_30_REWARD)).toBe(rewardOf(serving, SUBNET_30_REWARD));
});

test("serving has a bound: however many images, however large, the factor is 1", () => {
  const endless = { ...honest, served: 1e9, work: { served: 1e9, failed: 0, refused: 0 } };
  expect(rewardOf(endless)).toBeCloseTo(QUALITY, 12);
});

test("a miner that nobody has asked yet is worth its tests", () => {
  const unasked = { ...honest, work: { served: 0, failed: 0, refused: 0 } };
  expect(rewardOf(unasked)).toBeCloseTo(QUALITY, 12);
});

const metrics = fc.record({
  requestsPerSecond: fc.double({ min: 0, max: 100, noNaN: true }),
  similarity: fc.double({ min: -1, max: 1, noNaN: true }),
  errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
  served: fc.nat(1000),
  failed: fc.nat(1000),
  work: fc.record({ served: fc.nat(1000), failed: fc.nat(1000), refused: fc.nat(1000) }),
  cheated: fc.constant(false),
});
const step = fc.double({ min: 0, max: 1, noNaN: true });

function worked(m: MinerMetrics, change: Partial<MinerMetrics["work"]>) {
  return { work: { ...m.work, ...change } };
}

test.each([
  [
    "throughput",
    (m: MinerMetrics, by: number) => ({ requestsPerSecond: m.requestsPerSecond + by }),
  ],
  ["similarity", (m: MinerMetrics, by: number) => ({ similarity: m.similarity + by })],
  ["success", (m: MinerMetrics, by: number) => ({ errorRate: m.errorRate - by })],
  ["work for users", (m: MinerMetrics) => worked(m, { served: m.work.served + 1 })],
  ["users not failed", (m: MinerMetrics) => worked(m, { failed: Math.max(0, m.work.failed - 1) })],
  ["users not refused", (m: MinerMetrics) => worked(m, { refused: m.work.refused / 2 })],
])("more %s never pays less", (_, better) => {
  fc.assert(fc.property(metrics, step, (measured, by) => {
    expect(rewardOf({ ...measured, ...better(measured, by) })).toBeGreaterThanOrEqual(
      rewardOf(measured),
    );
  }));
});

test("failing a user costs more than serving one earns", () => {
  const before = rewardOf(honest);
  const { served, failed, refused } = honest.work;
  const after = rewardOf({
    ...honest,
    work: { served: served + 1, failed: failed + 1, refused },
  });
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
    work: fc.record({ served: number, failed: number, refused: number }),
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
  const work = { served: 5, failed: 0, refused: 0 };
  const measured = { ...honest, errorRate: 0, work, similarity: 0.5 };
  expect(rewardOf(measured, flat)).toBeCloseTo(120 / 128, 12);
});
