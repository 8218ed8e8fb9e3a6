import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emitWeights, processWeights } from "../../../core/mod.ts";
// Made with the Bittensor SDK's process_weights and convert_weights_and_uids_for_emit.
import cases from "../../golden/bittensor_weights.json" with { type: "json" };

describe("as the Bittensor SDK", () => {
  test.each(cases.map((each, k) => [k, each] as const))("case %d", (_, golden) => {
    const { uids, weights } = processWeights(golden);
    expect(uids).toEqual(golden.processedUids);
    for (const [k, weight] of weights.entries()) {
      expect(Math.abs(weight - golden.processedWeights[k])).toBeLessThan(2e-7);
    }
    expect(emitWeights(uids, weights)).toEqual({
      uids: golden.emitUids,
      weights: golden.emitWeights,
    });
  });
});

const scores = fc.array(
  fc.oneof(fc.double({ min: 0, max: 10, noNaN: true }), fc.constantFrom(0, NaN, Infinity, -1)),
  { maxLength: 300 },
);
const limits = fc.record({
  minAllowedWeights: fc.integer({ min: 0, max: 300 }),
  maxWeightLimit: fc.double({ min: 0.01, max: 1, noNaN: true }),
  excludeQuantile: fc.integer({ min: 0, max: 65535 }),
});

test("whatever was scored, weights are finite shares of 1 and fit the extrinsic", () => {
  fc.assert(fc.property(scores, limits, (scores, limits) => {
    const { uids, weights } = processWeights({ scores, ...limits });
    expect(weights.every((weight) => weight >= 0 && weight <= 1)).toBe(true);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (scores.length) expect(sum).toBeCloseTo(1, 4);
    const emitted = emitWeights(uids, weights);
    expect(emitted.weights.every((weight) => Number.isInteger(weight) && weight > 0)).toBe(true);
    if (scores.length) expect(Math.max(...emitted.weights)).toBe(65535);
  }));
});

test("nobody gets more than the limit where the limit can be kept", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1e-3, max: 1, noNaN: true }), { minLength: 11 }), (
      scores,
    ) => {
      const { weights } = processWeights({ scores, minAllowedWeights: 1, maxWeightLimit: 0.1 });
      expect(Math.max(...weights)).toBeLessThan(0.1 + 1e-5);
    }),
  );
});

test("no scores give no weights", () => {
  const none = processWeights({ scores: [], minAllowedWeights: 8, maxWeightLimit: 1 });
  expect(none).toEqual({ uids: [], weights: [] });
  expect(emitWeights([], [])).toEqual({ uids: [], weights: [] });
  expect(emitWeights([3, 4], [0, 0])).toEqual({ uids: [], weights: [] });
});

test("a NaN never reaches the chain", () => {
  expect(() => emitWeights([7], [NaN])).toThrow(/the weight of uid 7 is NaN/);
  expect(() => emitWeights([7], [])).toThrow(/1 uids have 0 weights/);
  expect(processWeights({ scores: [NaN, 1], minAllowedWeights: 1, maxWeightLimit: 1 }))
    .toEqual({ uids: [1], weights: [1] });
});

test.each([
  [{ minAllowedWeights: NaN }, /minAllowedWeights is NaN, not from 0 to 65535/],
  [{ maxWeightLimit: 1.5 }, /maxWeightLimit is 1.5, not from 0 to 1/],
  [{ excludeQuantile: -1 }, /excludeQuantile is -1, not from 0 to 65535/],
])("%j is refused", (wrong, message) => {
  const limits = { minAllowedWeights: 1, maxWeightLimit: 1, ...wrong };
  expect(() => processWeights({ scores: [1], ...limits })).toThrow(message);
});
