import { describe, expect, test } from "vitest";
import { gaussianNoise } from "../../../core/mod.ts";
import golden from "../../golden/philox_normal.json" with { type: "json" };

test.each(golden.cases)(
  "gaussianNoise(seed $seed, draw $offset) equals torch.randn on CUDA",
  ({ seed, offset, values }) => {
    const noise = gaussianNoise(BigInt(seed), offset, values.length);
    // 2e-6: the reference was computed in single precision.
    values.forEach((value, i) => expect(Math.abs(noise[i] - value)).toBeLessThan(2e-6));
  },
);

const mean = (values: Float32Array, power = 1) =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

describe("gaussianNoise is unit Gaussian", () => {
  const n = 262_144;
  // Five standard errors of each statistic for n independent unit Gaussians.
  const error = (variance: number) => 5 * Math.sqrt(variance / n);

  test.each([0n, 1n, 42n, 2n ** 32n + 7n, 2n ** 64n - 1n])("seed %s", (seed) => {
    const noise = gaussianNoise(seed, 3, n);
    expect(Math.abs(mean(noise))).toBeLessThan(error(1));
    expect(Math.abs(mean(noise, 2) - 1)).toBeLessThan(error(2));
    expect(Math.abs(mean(noise, 3))).toBeLessThan(error(15));
    expect(Math.abs(mean(noise, 4) - 3)).toBeLessThan(error(96));
    expect(noise.every(Number.isFinite)).toBe(true);
  });

  test("tails reach as far as they should and no further", () => {
    const noise = gaussianNoise(5n, 0, n);
    const beyond = (limit: number) => noise.filter((value) => Math.abs(value) > limit).length / n;
    // Two-sided Gaussian tail probabilities.
    expect(beyond(1)).toBeCloseTo(0.3173, 2);
    expect(beyond(2)).toBeCloseTo(0.0455, 2);
    expect(beyond(3)).toBeCloseTo(0.0027, 3);
    // Box-Muller on 32 bits cannot pass sqrt(2 ln 2^33).
    expect(beyond(6.77)).toBe(0);
  });

  test.each([
    ["draws of one seed", gaussianNoise(9n, 0, n), gaussianNoise(9n, 1, n)],
    ["neighbouring seeds", gaussianNoise(9n, 0, n), gaussianNoise(10n, 0, n)],
    ["seeds 2^32 apart", gaussianNoise(9n, 0, n), gaussianNoise(9n + 2n ** 32n, 0, n)],
    ["neighbouring elements", gaussianNoise(9n, 0, n), gaussianNoise(9n, 0, n + 1).subarray(1)],
  ])("%s are independent", (_, a, b) => {
    const correlation = a.reduce((sum, value, i) => sum + value * b[i], 0) / n;
    expect(Math.abs(correlation)).toBeLessThan(error(1));
    const squares = a.reduce((sum, value, i) => sum + (value ** 2 - 1) * (b[i] ** 2 - 1), 0) / n;
    expect(Math.abs(squares)).toBeLessThan(error(4));
  });
});

test("gaussianNoise of an element does not depend on the length", () => {
  expect(gaussianNoise(7n, 2, 1000).subarray(0, 63)).toEqual(gaussianNoise(7n, 2, 63));
});

test.each([-1n, 2n ** 64n])("gaussianNoise refuses seed %s", (seed) => {
  expect(() => gaussianNoise(seed, 0, 1)).toThrow(/seed is .*, not in 0\.\.2\^64-1/);
});
