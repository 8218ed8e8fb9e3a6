import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeTolerances } from "../../../core/model/mod.ts";
import {
  judge,
  psnr,
  type Residual,
  type StepCheck,
  toleranceAt,
} from "../../../core/verifier/mod.ts";
import { codeOf } from "../transcript/hostile.ts";

const exact = { length: 64, differing: 0, maxUlps: 0, outside: 0 };
const arithmetic: StepCheck = { next: exact };
const residual = (velocityError: number, similarity = 1): Residual => ({
  similarity,
  velocityError,
  denoisedCosine: 1,
  latentCosine: 1,
  nonFinite: 0,
});
const step = (velocityError: number, similarity?: number) => ({
  arithmetic,
  network: { residual: residual(velocityError, similarity), tolerance: 0.01 },
});

test("judge is honest when every step and the image are within their bounds", () => {
  expect(judge([step(0.001, 0.9), step(0.01, 0.8)], { psnr: 40, floor: 35 })).toEqual({
    verdict: "honest",
    similarity: expect.closeTo(0.85, 12),
    worst: expect.closeTo(1, 12),
  });
  expect(judge([{ arithmetic }])).toEqual({ verdict: "honest" });
});

test.each([
  ["a step is beyond its tolerance", [step(0.001), step(0.02)], undefined],
  ["the image is below its floor", [step(0.001)], { psnr: 20, floor: 35 }],
  ["the image cannot be compared", [step(0.001)], { psnr: NaN, floor: 35 }],
  ["a recomputation is not finite", [step(0.001), step(NaN, NaN)], undefined],
])("judge is suspect when %s", (_, steps, image) => {
  const judgement = judge(steps, image);
  expect(judgement.verdict).toBe("suspect");
  expect(judgement.similarity).toBeGreaterThanOrEqual(0);
});

test("judge is invalid when a value is outside the plan's combination", () => {
  const forged = { arithmetic: { next: { ...exact, outside: 1 } } };
  expect(judge([step(0.001), forged]).verdict).toBe("invalid");
});

test("toleranceAt is linear between logarithms and flat outside the table", () => {
  const [table] = decodeTolerances([{
    precision: "float16",
    points: [{ noise: 0.1, tolerance: 0.01 }, { noise: 10, tolerance: 0.0001 }],
  }]);
  expect(toleranceAt(table, { alpha: 1, sigma: 1 })).toBeCloseTo(0.001, 12);
  expect(toleranceAt(table, { alpha: 0.5, sigma: 0.05 })).toBeCloseTo(0.01, 12);
  expect(toleranceAt(table, { alpha: 1, sigma: 0.01 })).toBe(0.01);
  expect(toleranceAt(table, { alpha: 0, sigma: 1 })).toBe(0.0001);
});

test.each([
  ["no points", [{ precision: "float32", points: [] }]],
  ["falling noise", [{
    precision: "float32",
    points: [{ noise: 2, tolerance: 0.1 }, { noise: 1, tolerance: 0.1 }],
  }]],
  ["a tolerance of 0", [{ precision: "float32", points: [{ noise: 1, tolerance: 0 }] }]],
  ["another precision", [{ precision: "int8", points: [{ noise: 1, tolerance: 1 }] }]],
  ["no list", {}],
])("decodeTolerances refuses %s", (_, json) => {
  expect(codeOf(() => decodeTolerances(json))).toBe("invalid_config");
});

test("decodeTolerances meets noise with one error, or reads an empty list", () => {
  const points = fc.array(fc.record({ noise: fc.jsonValue(), tolerance: fc.jsonValue() }));
  const near = fc.array(fc.record({ precision: fc.constant("float32"), points }));
  fc.assert(fc.property(fc.oneof(fc.jsonValue(), near), (json) => {
    expect([undefined, "invalid_config"]).toContain(codeOf(() => decodeTolerances(json)));
  }));
});

const image = (value: number, width = 2) => ({
  width,
  height: 1,
  data: new Uint8ClampedArray(4 * width).fill(value),
});

// All colours differ by 5: 20 log10(255 / 5).
test("psnr compares colours, in decibels", () => {
  expect(psnr(image(100), image(105))).toBeCloseTo(34.1514, 4);
  expect(psnr(image(7), image(7))).toBe(Infinity);
  expect(codeOf(() => psnr(image(7), image(7, 3)))).toBe("shape_mismatch");
});
