import { expect, test } from "vitest";
import {
  blurredMask,
  cropped,
  maskedBox,
  outpainted,
  pasted,
  type RgbaImage,
} from "../../../core/image/mod.ts";

/** Grey levels by pixel, row by row. */
function grey(width: number, levels: readonly number[]): RgbaImage {
  const data = new Uint8ClampedArray(4 * levels.length).fill(255);
  for (const [i, level] of levels.entries()) data.fill(level, 4 * i, 4 * i + 3);
  return { width, height: levels.length / width, data };
}

function levels({ data }: RgbaImage): number[] {
  return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
}

const rectangle = (width: number, height: number, [x, y, wide, high]: readonly number[]) =>
  grey(
    width,
    Array.from({ length: width * height }, (_, i) => {
      const [column, row] = [i % width, Math.floor(i / width)];
      return column >= x && column < x + wide && row >= y && row < y + high ? 255 : 0;
    }),
  );

// exp(-k^2 / 2) over its sum for k of -3 to 3, of 255: what a Gaussian of 1 makes of a point.
test("a point of a mask becomes a Gaussian, and even masks stay", () => {
  const point = grey(9, Array.from({ length: 9 }, (_, i) => i === 4 ? 255 : 0));
  const weights = [-3, -2, -1, 0, 1, 2, 3].map((k) => Math.exp(-k * k / 2));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const expected = weights.map((weight) => Math.round(255 * weight / sum));
  expect(levels(blurredMask(point, 1))).toEqual([0, ...expected, 0]);
  const even = grey(4, Array(12).fill(200));
  expect(blurredMask(even, 3)).toEqual(even);
  expect(blurredMask(point, 0)).toBe(point);
});

test.each([
  ["as it is", [10, 12, 6, 4], 0, undefined, [10, 12, 6, 4]],
  ["with padding", [10, 12, 6, 4], 3, undefined, [7, 9, 12, 10]],
  ["at the image's edges", [0, 26, 6, 4], 3, undefined, [0, 23, 9, 7]],
  ["in another shape", [10, 12, 6, 4], 0, 1, [10, 11, 6, 6]],
  ["in another shape, moved inside", [34, 0, 6, 20], 0, 1, [20, 0, 20, 20]],
  ["that fits no shape", [0, 0, 40, 30], 5, 1, [0, 0, 40, 30]],
])("what a mask is about is found %s", (_, white, padding, aspect, expected) => {
  const { left, top, width, height } = maskedBox(rectangle(40, 30, white), padding, aspect);
  expect([left, top, width, height]).toEqual(expected);
});

test("a black mask is refused", () => {
  expect(() => maskedBox(grey(2, [0, 0, 0, 0]), 1)).toThrow(/the mask is black everywhere/);
});

test("a part is put back where the mask is white, as far as it is", () => {
  const image = grey(4, Array.from({ length: 16 }, (_, i) => 10 * i));
  const box = { left: 1, top: 1, width: 2, height: 2 };
  expect(levels(cropped(image, box))).toEqual([50, 60, 90, 100]);
  const part = grey(2, [250, 250, 250, 250]);
  const mask = grey(4, [0, 0, 0, 0, 0, 255, 102, 0, 0, 0, 51, 255, 255, 255, 255, 255]);
  const whole = levels(pasted(image, box, part, mask));
  // 60 * 0.6 + 250 * 0.4; 100 * 0.8 + 250 * 0.2. Beyond the box nothing changes.
  expect(whole.slice(4, 12)).toEqual([40, 250, 136, 70, 80, 90, 130, 110]);
  expect([...whole.slice(0, 4), ...whole.slice(12)]).toEqual([0, 10, 20, 30, 120, 130, 140, 150]);
});

test("margins go on as the edges do, and are white with a seam of 8 pixels", () => {
  const image = grey(20, Array.from({ length: 20 * 10 }, (_, i) => i % 20));
  const { image: large, mask } = outpainted(image, { left: 2, top: 0, right: 0, bottom: 3 });
  expect([large.width, large.height]).toEqual([22, 13]);
  expect(levels(large).slice(0, 5)).toEqual([0, 0, 0, 1, 2]);
  expect(levels(large).slice(-22)).toEqual(levels(large).slice(0, 22));
  // Columns 2 + 8 and on of rows 0 and 1, since 3 + 8 of 13 rows are new or the seam.
  expect(levels(mask).map((level, i) => [level, i % 22 >= 10 && i < 2 * 22])).toEqual(
    levels(mask).map((_, i) => i % 22 >= 10 && i < 2 * 22 ? [0, true] : [255, false]),
  );
});
