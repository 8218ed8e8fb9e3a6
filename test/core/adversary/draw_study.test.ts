import { expect, test } from "vitest";
import { drawRatesOf, lyingRatesOf, meanRates } from "../../../core/adversary/mod.ts";
import { toHalf } from "../../../core/half.ts";
import { gaussianNoise } from "../../../core/noise/mod.ts";

const STEPS = 30;
const [from, to, other] = [0, 1, 2].map((draw) => gaussianNoise(1n, draw, 256));

/** Predictions that go from one tensor to another, more slowly with every step. */
function predictions(): Uint16Array[] {
  return Array.from({ length: STEPS }, (_, i) => {
    const share = 1 - Math.exp(-i / 8) * (1 + 0.02 * Math.sin(2 * i));
    return toHalf(from.map((value, j) => value + share * (to[j] - value)));
  });
}

// Plainly 3 of 30; the oddest is the forged one.
test("one prediction that was made up is the oddest, and plain draws find it in one of ten", () => {
  const d = predictions();
  d[STEPS - 1] = toHalf(other);
  const rates = drawRatesOf({ d, cheated: new Set([STEPS - 1]) });
  expect(rates).toMatchObject({ odd: 1, oddAndTwo: 1, steered: 1 });
  expect(rates.plain).toBeCloseTo(0.1, 12);
});

// Ten false sketches and the forged step: the last five are all among them.
test("a liar who bends ten sketches is found among the last five, whatever is the oddest", () => {
  const d = predictions();
  d[STEPS - 1] = toHalf(other);
  const rates = lyingRatesOf({ d, cheated: new Set([STEPS - 1]) }, 10);
  expect(rates.steered).toBe(1);
  expect(rates.plain).toBeLessThan(0.9);
});

test("meanRates is the mean of each", () => {
  const one = { odd: 1, plain: 0.1, oddAndTwo: 1, steered: 1 };
  const none = { odd: 0, plain: 0.1, oddAndTwo: 0, steered: 0.5 };
  expect(meanRates([one, none])).toEqual({ odd: 0.5, plain: 0.1, oddAndTwo: 0.5, steered: 0.75 });
});
