import { beforeAll, describe, expect, test } from "vitest";
import { detailRichness } from "../../../core/content/mod.ts";
import { resize, type RgbaImage } from "../../../core/image/mod.ts";
import { gaussianNoise } from "../../../core/noise/mod.ts";
import { samplePictures } from "../../fixtures/sample_pictures.ts";

/** Of the contact sheet: a circuit board, a forest, a red symbol on blue. */
const CHOSEN = { circuit: 2, forest: 11, plain: 1 };
/** What a picture that is soft already may gain by being smoothed. */
const SLACK = 0.005;
let pictures: readonly RgbaImage[];
beforeAll(async () => {
  pictures = await samplePictures();
});

function withPixels(image: RgbaImage, pixel: (i: number) => number): RgbaImage {
  const data = image.data.map((value, i) => i % 4 === 3 ? value : Math.round(pixel(i)));
  return { ...image, data };
}

function noised(image: RgbaImage, sigma: number): RgbaImage {
  const noise = gaussianNoise(11n, 0, image.data.length);
  return withPixels(image, (i) => Math.min(Math.max(image.data[i] + sigma * noise[i], 0), 255));
}

/** Fewer pixels, spread over as many: what is fine is gone. */
function simplified(image: RgbaImage, times: number): RgbaImage {
  const { width, height } = image;
  const small = { width: Math.round(width / times), height: Math.round(height / times) };
  return resize(resize(image, small), { width, height });
}

/** A mean over (2 radius + 1)^2 pixels. */
function blurred(image: RgbaImage, radius: number): RgbaImage {
  const { width, height, data } = image;
  const within = (at: number, size: number) => Math.min(Math.max(at, 0), size - 1);
  return withPixels(image, (i) => {
    const [x, y] = [(i >> 2) % width, Math.floor((i >> 2) / width)];
    let sum = 0;
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        sum += data[4 * (within(y + dy, height) * width + within(x + dx, width)) + i % 4];
      }
    }
    return sum / (2 * radius + 1) ** 2;
  });
}

// The plain one is soft as it was made: nothing finer is there to be lost.
describe.each([["circuit", CHOSEN.circuit], ["forest", CHOSEN.forest]] as const)(
  "of the picture of a %s, detail falls",
  (_name, number) => {
    test.each([
      ["blurred", blurred, [1, 3]],
      ["noised", noised, [15, 40]],
      ["simplified", simplified, [2, 4]],
    ])("as it is %s, more and more", (_how, change, amounts) => {
      const picture = pictures[number];
      const values = [picture, ...amounts.map((amount) => change(picture, amount))]
        .map((image) => detailRichness(image).value);
      for (const k of [0, 1]) expect(values[k + 1]).toBeLessThan(values[k] + SLACK);
      expect(values[0] - values[2]).toBeGreaterThan(SLACK);
    });
  },
);

test("a circuit board has more of it than a symbol on a plain ground", () => {
  const [circuit, plain] = [CHOSEN.circuit, CHOSEN.plain].map((k) => detailRichness(pictures[k]));
  expect(circuit.value - circuit.uncertainty).toBeGreaterThan(plain.value + plain.uncertainty);
});

test("noise alone is none, and neither is a flat picture; both are bounded", () => {
  const flat = withPixels(pictures[0], () => 128);
  expect(detailRichness(flat)).toEqual({ value: 0, uncertainty: 0 });
  const noise = detailRichness(noised(flat, 60));
  expect(noise.value).toBeGreaterThanOrEqual(0);
  expect(noise.value).toBeLessThan(0.02);
});

test("it is the same each time, and hardly changes with the size of the file", () => {
  const [picture] = pictures;
  const whole = detailRichness(picture);
  expect(detailRichness(picture)).toEqual(whole);
  const larger = detailRichness(resize(picture, { width: 384, height: 384 }));
  expect(Math.abs(larger.value - whole.value)).toBeLessThan(0.03);
});
