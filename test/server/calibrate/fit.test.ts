import { expect, test } from "vitest";
import { gaussianNoise } from "../../../core/mod.ts";
import { decodeTolerances } from "../../../core/model/mod.ts";
import { toleranceAt } from "../../../core/verifier/mod.ts";
import { fitTolerance } from "../../../server/calibrate/fit.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

/** Honest steps whose error grows as the noise falls, spread log-normally around that. */
function honestSteps(seed: bigint, count: number) {
  const spread = gaussianNoise(seed, 0, count);
  return Array.from({ length: count }, (_, k) => {
    const noise = 0.03 * 500 ** ((k + 0.5) / count);
    return { noise, velocityError: 2e-3 / noise * Math.exp(0.4 * spread[k]) };
  });
}

const within = (table: ReturnType<typeof fitTolerance>, seed: bigint) =>
  honestSteps(seed, 5000).filter(({ noise, velocityError }) =>
    velocityError > toleranceAt(table, { alpha: 1, sigma: noise })
  ).length;

test("fitTolerance covers honest steps that it has not seen, and follows their trend", () => {
  const table = fitTolerance(honestSteps(1n, 400), "float32");
  for (const seed of [2n, 3n, 4n, 5n]) expect(within(table, seed)).toBe(0);
  const at = (noise: number) => toleranceAt(table, { alpha: 1, sigma: noise });
  expect(at(0.05)).toBeGreaterThan(5 * at(5));
  // Not so wide that anything passes: a dozen times the median error at most.
  expect(at(1)).toBeLessThan(30 * 2e-3);
});

test("fitTolerance gives a table that decodeTolerances accepts", () => {
  const table = fitTolerance(honestSteps(1n, 100), "float16");
  expect(decodeTolerances([table])).toEqual([table]);
});

test("fitTolerance of machines that agree to the bit is the least tolerance", () => {
  const steps = honestSteps(1n, 100).map(({ noise }) => ({ noise, velocityError: 0 }));
  const { points } = fitTolerance(steps, "float32");
  for (const { tolerance } of points) expect(tolerance).toBeCloseTo(1e-3, 4);
});

test("fitTolerance refuses too few steps", () => {
  expect(thrownBy(() => fitTolerance(honestSteps(1n, 10), "float32"))).toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining("10 steps are too few"),
  });
});
