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

// The same source (opentensor/bittensor 00f0b69, utils/weight_utils.py) under numpy 2.4.6: capped
// weights whose u16 depends on the cutoff staying a double.
test.each([
  [[1.89, 1.17, 0.22, 1.15, 0.92], 0.3, [65535, 51708, 9723, 50824, 40660]],
  [[0.09, 0.19, 0.02, 2.44, 0.38, 0.79], 0.2, [53620, 65535, 11916, 65535, 65535, 65535]],
])("%j, none above %d, are emitted to the last bit as the SDK's", (scores, maxWeightLimit, u16) => {
  const { uids, weights } = processWeights({ scores, minAllowedWeights: 1, maxWeightLimit });
  expect(emitWeights(uids, weights).weights).toEqual(u16);
});

test("a share that is the limit's float32 is not cut", () => {
  const limits = { minAllowedWeights: 1, maxWeightLimit: 0.3 };
  const { weights } = processWeights({ scores: [3, 3, 2, 2], ...limits });
  expect(weights).toEqual([0.3, 0.3, 0.2, 0.2].map(Math.fround));
});

// The SDK makes NaN of these, or weights that are all 0.
test("scores past float32, alone or in sum, still give shares of 1", () => {
  const limits = { minAllowedWeights: 3, maxWeightLimit: 1 };
  const one = processWeights({ scores: [1e39, 1, 0, 0], ...limits }).weights;
  expect(one.map((weight) => weight.toFixed(4))).toEqual(["0.0000", "1.0000", "0.0000", "0.0000"]);
  const all = processWeights({ scores: [2e38, 2e38, 1e38], ...limits }).weights;
  expect(all.map((weight) => weight.toFixed(4))).toEqual(["0.4000", "0.4000", "0.2000"]);
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
