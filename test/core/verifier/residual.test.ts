import { expect, test } from "vitest";
import { gaussianNoise } from "../../../core/mod.ts";
import {
  finishResidual,
  type ResidualPair,
  residualSums,
  sumPartials,
} from "../../../core/verifier/mod.ts";

const draw = (k: number, n = 2000) => gaussianNoise(3n, k, n);
const [state, denoised, next, other] = [0, 1, 2, 3].map((k) => draw(k));
const same: ResidualPair = {
  ...{ alpha: 0.8, state, denoised, next, denoisedAgain: denoised, nextAgain: next },
};
const compare = (pair: Partial<ResidualPair>) => finishResidual(residualSums({ ...same, ...pair }));

test("a step repeated exactly has similarity 1 and no velocity error", () => {
  const { similarity, velocityError, latentCosine } = compare({});
  expect([similarity, latentCosine]).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 12)]);
  expect(velocityError).toBe(0);
});

test("velocityError is |v - v'| / |v'| and similarity cos(v, v'), whatever sigma", () => {
  const sigma = 0.6;
  const v = Float64Array.from(denoised, (d, j) => (0.8 * state[j] - d) / sigma);
  const w = Float64Array.from(other, (d, j) => (0.8 * state[j] - d) / sigma);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, j) => sum + x * b[j], 0);
  const difference = v.map((x, j) => x - w[j]);
  const { similarity, velocityError } = compare({ denoisedAgain: other });
  expect(similarity).toBeCloseTo(dot(v, w) / Math.sqrt(dot(v, v) * dot(w, w)), 12);
  expect(velocityError).toBeCloseTo(Math.sqrt(dot(difference, difference) / dot(w, w)), 12);
});

test("a velocity of twice the length has similarity 1 and velocity error 1", () => {
  const [zero, d] = [new Float32Array(2000), draw(5)];
  const { similarity, velocityError } = compare({
    ...{ state: zero, denoisedAgain: d, denoised: d.map((x) => 2 * x) },
  });
  expect([similarity, velocityError]).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 12)]);
});

test("a side of zeros has similarity 0; a velocity where none should be is infinitely wrong", () => {
  const zero = new Float32Array(2000);
  const result = compare({ state: zero, denoisedAgain: zero });
  expect([result.similarity, result.velocityError]).toEqual([0, Infinity]);
});

test.each([NaN, Infinity, -Infinity])("%s is counted and makes every number NaN", (odd) => {
  const again = denoised.slice();
  again[7] = odd;
  const result = compare({ denoisedAgain: again });
  expect(result).toEqual({
    ...{ similarity: NaN, velocityError: NaN, denoisedCosine: NaN, latentCosine: NaN },
    nonFinite: 1,
  });
});

test("residualSums refuses tensors of different lengths", () => {
  expect(() => residualSums({ ...same, nextAgain: draw(1, 5) })).toThrow(
    "Cannot compare steps: lengths are 2000 and 5",
  );
});

test("sumPartials adds the partials of all threads", () => {
  const partials = Float32Array.from({ length: 24 }, (_, k) => k);
  expect(sumPartials(partials)).toEqual({
    ...{ denoised: [12, 14, 16], velocity: [18, 20, 22, 24], next: [26, 28, 30], nonFinite: 32 },
  });
});
