import fc from "fast-check";
import { expect, test } from "vitest";
import { oddestStep, oddnessOf } from "../../../core/verifier/mod.ts";

/** A smooth course of predictions with a little of everything: no step stands out by much. */
function course(steps: number): Float32Array<ArrayBuffer>[] {
  return Array.from(
    { length: steps },
    (_, i) =>
      Float32Array.from(
        { length: 16 },
        (_, k) => Math.exp(-i / 10) * Math.cos(k + i / 4 + i * i / 200),
      ),
  );
}

const STEPS = 30;
const between = fc.integer({ min: 2, max: STEPS - 1 });

test("a prediction that was made up is the oddest, the last one too", () => {
  fc.assert(fc.property(between, (at) => {
    const sketches = course(STEPS);
    sketches[at] = sketches[at].map((_, k) => Math.sin(17 * k));
    expect(oddestStep(sketches)).toBe(at);
  }));
});

test("a prediction that was used again is the oddest", () => {
  fc.assert(fc.property(between, (at) => {
    const sketches = course(STEPS);
    sketches[at] = sketches[at - 1];
    expect(oddestStep(sketches)).toBe(at);
  }));
});

test("a prediction that was extrapolated from the two before it is the oddest", () => {
  fc.assert(fc.property(between, (at) => {
    const sketches = course(STEPS);
    sketches[at] = sketches[at - 1].map((value, k) => 2 * value - sketches[at - 2][k]);
    expect(oddestStep(sketches)).toBe(at);
  }));
});

test.each([1, 2, 3, 4, 5])(
  "runs of %i steps, and runs that stand still, have a first step",
  (steps) => {
    const still = Array.from({ length: steps }, () => new Float32Array(16));
    expect(oddestStep(still)).toBe(steps < 3 ? 0 : oddestStep(still));
    expect(oddnessOf(still).every(Number.isFinite)).toBe(true);
    expect(oddnessOf(course(steps)).every(Number.isFinite)).toBe(true);
  },
);
