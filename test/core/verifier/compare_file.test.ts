import { describe, expect, test } from "vitest";
import { gaussianNoise } from "../../../core/noise/mod.ts";
import {
  decodeImage,
  encodeImage,
  imageCodec,
  type ImageFormat,
  type RgbaImage,
} from "../../../core/image/mod.ts";
import { compareFile, passesImage, psnr } from "../../../core/verifier/mod.ts";

/** Smooth hills with some grain, as pictures have. */
const decoded = pictureOf(256, 256);

function pictureOf(width: number, height: number): RgbaImage {
  const grain = gaussianNoise(1n, 0, 3 * width * height);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let c = 0; c < 3; c++) {
      const hill = Math.sin(x / 23 + c) * Math.cos(y / 31 - c);
      data[4 * i + c] = 128 + 90 * hill + 3 * grain[3 * i + c];
    }
  }
  return { width, height, data };
}

/** One value in so many is off by one, as between honest machines. */
function nearly({ width, height, data }: RgbaImage, oneIn: number): RgbaImage {
  const near = data.map((value, k) => k % 4 !== 3 && k % oneIn === 0 ? value ^ 1 : value);
  return { width, height, data: near };
}

interface Given {
  readonly quality?: number;
  readonly stated?: number;
  readonly against?: RgbaImage;
  readonly precision?: "float32" | "float16";
}

/** What is said of a file of these pixels. */
async function compare(
  image: RgbaImage,
  format: ImageFormat,
  { quality = 92, stated = quality, against = decoded, precision = "float32" }: Given = {},
) {
  const file = await encodeImage(image, format, quality);
  const pixels = await decodeImage(file, format, image);
  const found = await compareFile(
    { bytes: file.length, pixels, format, quality: stated, precision },
    against,
    imageCodec,
  );
  return { found, passes: passesImage(found), pixels };
}

test.each(
  [
    ["png", 92],
    ["jpeg", 92],
    ["jpeg", 30],
    ["webp", 92],
    ["webp", 30],
  ] as const,
)("an honest %s of quality %i passes, a few values off by one or none", async (format, q) => {
  expect((await compare(decoded, format, { quality: q })).found).toMatchObject({
    psnr: Infinity,
    tile: { psnr: Infinity },
  });
  expect((await compare(nearly(decoded, 400), format, { quality: q })).passes).toBe(true);
});

describe("what one PSNR over the image passed", () => {
  // 30 dB was the floor of JPEG and WebP, 45 that of PNG.
  test.each(["jpeg", "webp"] as const)("a stamp of 274 pixels in a %s", async (format) => {
    const data = decoded.data.slice();
    for (let k = 0; k < 274; k++) {
      const at = 4 * ((100 + Math.floor(k / 20)) * decoded.width + 100 + k % 20);
      for (let c = at; c < at + 3; c++) data[c] += data[c] < 128 ? 100 : -100;
    }
    const { found, passes, pixels } = await compare({ ...decoded, data }, format);
    expect(psnr(pixels, decoded)).toBeGreaterThan(30);
    expect(passes).toBe(false);
    expect(found.tile?.psnr).toBeLessThan(found.tile?.floor ?? 0);
  });

  test("48 KiB in the low bits of a PNG, at either precision", async () => {
    const wide = pictureOf(512, 256);
    const bits = gaussianNoise(2n, 0, wide.data.length);
    const data = wide.data.map((value, k) => k % 4 === 3 ? 255 : value & 254 | Number(bits[k] > 0));
    for (const precision of ["float32", "float16"] as const) {
      const { passes, pixels } = await compare({ ...wide, data }, "png", {
        against: wide,
        precision,
      });
      expect(psnr(pixels, wide)).toBeGreaterThan(45);
      expect(passes).toBe(false);
    }
  });
});

test.each(["jpeg", "webp"] as const)("a %s of less quality than stated fails", async (format) => {
  const { passes } = await compare(decoded, format, { quality: 40, stated: 92 });
  expect(passes).toBe(false);
});

test("a file of many more bytes than its image takes fails", async () => {
  const { found } = await compare(decoded, "jpeg");
  const most = found.bytes?.most ?? 0;
  expect(passesImage({ ...found, bytes: { found: most, most } })).toBe(true);
  expect(passesImage({ ...found, bytes: { found: most + 1, most } })).toBe(false);
});

test("an x_N that is decoded to another size is near no file", async () => {
  const { found, passes } = await compare(pictureOf(64, 32), "png", { against: pictureOf(32, 64) });
  expect({ passes, psnr: found.psnr }).toEqual({ passes: false, psnr: 0 });
});
