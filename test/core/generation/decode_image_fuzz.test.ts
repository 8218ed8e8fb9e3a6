import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppError } from "../../../core/error.ts";
import { decodeImage, encodeImage, type RgbaImage } from "../../../core/generation/mod.ts";

const FORMATS = ["png", "jpeg", "webp"] as const;
const size = { width: 16, height: 8 };
const picture: RgbaImage = {
  ...size,
  data: Uint8ClampedArray.from({ length: 4 * 16 * 8 }, (_, i) => i % 4 === 3 ? 255 : 3 * i),
};

describe.each(FORMATS)("decodeImage of a hostile %s", (format) => {
  test("is an image of the asked size or one error, and the next honest file is decoded", async () => {
    const honest = await encodeImage(picture, format);
    const flips = fc.array(fc.nat(8 * honest.length - 1), { minLength: 1, maxLength: 20 }).map(
      (bits) => {
        const bytes = honest.slice();
        for (const bit of bits) bytes[bit >> 3] ^= 1 << (bit & 7);
        return bytes;
      },
    );
    const cuts = fc.nat(honest.length).map((length) => honest.slice(0, length));
    const tails = fc.uint8Array({ maxLength: 100 }).chain((tail) =>
      fc.nat(honest.length).map((at) => Uint8Array.of(...honest.slice(0, at), ...tail))
    );
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.oneof(flips, cuts, tails, noise), async (bytes) => {
        const image = await decodeImage(bytes, format, size).catch((error: AppError) => error);
        if (image instanceof Error) {
          expect(image).toMatchObject({ name: "AppError", code: "encoding_failed" });
          return;
        }
        expect(image).toMatchObject(size);
        expect(image.data).toHaveLength(4 * 16 * 8);
      }),
      { numRuns: 300 },
    );
    const again = await decodeImage(honest, format, size);
    expect(again).toMatchObject(size);
    if (format === "png") expect(again.data).toEqual(picture.data);
  });
});

test("decodeImage refuses a JPEG of more scans than any picture takes", async () => {
  const honest = await encodeImage(picture, "jpeg");
  const lastScan = honest.findLastIndex((byte, at) => byte === 0xff && honest[at + 1] === 0xda);
  const scan = honest.slice(lastScan, -2);
  const many = Uint8Array.of(
    ...honest.slice(0, -2),
    ...Array.from({ length: 100 }, () => [...scan]).flat(),
    ...honest.slice(-2),
  );
  const error = await decodeImage(many, "jpeg", size).catch((thrown: AppError) => thrown);
  expect(error).toMatchObject({
    code: "encoding_failed",
    message: expect.stringMatching(/it has 1\d\d scans, at most 100 are read/),
  });
});
