import { expect, test } from "vitest";
import { heatColour, MAX_HEAT, MIN_HEAT } from "../../browser/app/api/heat.ts";
import { differenceOf } from "../../browser/app/worker/pictures.ts";
import { toHalf } from "../../core/half.ts";

const half = (...values: number[]) => toHalf(Float32Array.from(values));

test("a difference is shown in units of the tolerance, relative to the velocity", () => {
  // Velocities of 2 everywhere: alpha x - D' = 0.5 * 4 - 0. The tolerance lets D differ by 0.5.
  const predictions = {
    ...{ theirs: half(0, 0.5, 0.25, -500), ours: half(0, 0, 0, 0) },
    ...{ state: half(4, 4, 4, 4), alpha: 0.5 },
  };
  const { width, height, data } = differenceOf(predictions, [1, 2, 2], 0.25);
  const expected = [0, 1, 0.5, MAX_HEAT].flatMap((share) => [...heatColour(share), 255]);
  expect([width, height]).toEqual([2, 2]);
  expect([...data]).toEqual([...Uint8ClampedArray.from(expected)]);
});

test("the scale ends at its ends, and NaN is at the far one", () => {
  expect(heatColour(0)).toEqual(heatColour(MIN_HEAT));
  expect(heatColour(1e9)).toEqual(heatColour(MAX_HEAT));
  expect(heatColour(NaN)).toEqual(heatColour(MAX_HEAT));
});
