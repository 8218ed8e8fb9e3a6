import { expect, test } from "vitest";
import { decodeImage, encodeImage, type RgbaImage } from "../../../core/image/mod.ts";
import { psnr } from "../../../core/verifier/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";

/** A slow gradient, opaque. */
const data = Uint8ClampedArray.from(
  { length: 32 * 16 * 4 },
  (_, k) => k % 4 === 3 ? 255 : (k >> 2) % 32 * 6 + 20 * (k % 4),
);
const image: RgbaImage = { width: 32, height: 16, data };

test("decodeImage gives back what PNG encoded", async () => {
  expect(await decodeImage(await encodeImage(image, "png"), "png", image)).toEqual(image);
});

test.each(["jpeg", "webp"] as const)("decodeImage is near what %s encoded", async (format) => {
  const again = await decodeImage(await encodeImage(image, format), format, image);
  // The floor of level 3 for lossy formats.
  expect(psnr(again, image)).toBeGreaterThan(30);
});

test.each(["png", "jpeg", "webp"] as const)("decodeImage refuses what is no %s", async (format) => {
  expect(await rejection(decodeImage(new Uint8Array(100), format, image))).toMatchObject({
    code: "encoding_failed",
  });
});

test.each(["png", "jpeg", "webp"] as const)(
  "decodeImage refuses another size of %s",
  async (format) => {
    const file = await encodeImage(image, format);
    const error = await rejection(decodeImage(file, format, { width: 16, height: 32 }));
    expect(error).toMatchObject({ code: "encoding_failed" });
    expect(error.message).toContain("the size is 32x16, not 16x32");
  },
);

test("decodeImage does not decode what claims a gigantic size", async () => {
  const file = await encodeImage(image, "png");
  new DataView(file.buffer).setUint32(16, 2 ** 31 - 1);
  const error = await rejection(decodeImage(file, "png", image));
  expect(error.message).toContain("the size is 2147483647x16, not 32x16");
});

test("decodeImage refuses headers that are cut", async () => {
  for (const format of ["png", "jpeg", "webp"] as const) {
    const file = (await encodeImage(image, format)).slice(0, 13);
    expect(await rejection(decodeImage(file, format, image))).toMatchObject({
      code: "encoding_failed",
    });
  }
});
