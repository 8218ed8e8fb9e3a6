import { expect, test } from "vitest";
import { stepLatent } from "../../../core/denoise/step.ts";
import { roundHalf } from "../../../core/half.ts";
import { gaussianNoise, type PlanRow } from "../../../core/mod.ts";

const row: PlanRow = {
  timestep: 1,
  alpha: 0.8,
  sigma: 0.6,
  inScale: 1,
  fromX: 1.25,
  fromOut: -0.75,
  states: [0.5],
  denoised: [0.25],
  noise: 0,
};
const draw = (k: number) => roundHalf(gaussianNoise(1n, k, 100));
const input = {
  states: [draw(0), draw(1)],
  denoised: [draw(2), draw(3)],
  output: draw(4),
  negativeOutput: undefined,
  guidanceScale: 1,
  noise: () => {
    throw new Error("the row adds no noise");
  },
};

test("stepLatent converts the output, rounds D, combines, and rounds x", () => {
  const { next, denoised } = stepLatent(row, input);
  const d = roundHalf(input.states[0].map((x, i) => 1.25 * x - 0.75 * input.output[i]));
  expect(denoised).toEqual(d);
  expect(next).toEqual(roundHalf(input.states[0].map((x, i) => 0.5 * x + 0.25 * d[i])));
});

test("stepLatent with guidance 1 is the step without guidance", () => {
  const guided = stepLatent(row, { ...input, negativeOutput: draw(5) });
  expect(guided).toEqual(stepLatent(row, input));
});

test("stepLatent steers from the negative prediction by the scale", () => {
  const negativeOutput = draw(5);
  const { denoised } = stepLatent(row, { ...input, negativeOutput, guidanceScale: 7.5 });
  const expected = input.states[0].map((x, i) =>
    1.25 * x - 0.75 * (negativeOutput[i] + 7.5 * (input.output[i] - negativeOutput[i]))
  );
  // One unit in the last place of float16 at magnitude 16.
  denoised.forEach((d, i) => expect(Math.abs(d - expected[i])).toBeLessThan(2 ** -6));
});

test.each([0, 1])("stepLatent's state weight of age %i falls on the right state", (age) => {
  const only = { ...row, states: onlyAt(age), denoised: [0] };
  expect(stepLatent(only, input).next).toEqual(input.states[age]);
});

test.each([1, 2])("stepLatent's prediction weight of age %i falls on the right one", (age) => {
  const only = { ...row, states: [0], denoised: onlyAt(age) };
  expect(stepLatent(only, input).next).toEqual(input.denoised[age - 1]);
});

/** 1 at this age, 0 at those before. */
function onlyAt(age: number): number[] {
  return [...Array(age).fill(0), 1];
}

test("stepLatent adds the noise of the step", () => {
  const only = { ...row, states: [0], denoised: [0], noise: 1 };
  expect(stepLatent(only, { ...input, noise: () => draw(7) }).next).toEqual(draw(7));
});

test("stepLatent hands NaN and infinity on", () => {
  const output = draw(4);
  output[3] = NaN;
  output[4] = Infinity;
  const { next, denoised } = stepLatent(row, { ...input, output });
  expect([next[3], denoised[3]]).toEqual([NaN, NaN]);
  expect([next[4], denoised[4]]).toEqual([-Infinity, -Infinity]);
});
