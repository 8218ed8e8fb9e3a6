import { expect, test } from "vitest";
import decodePng from "@jsquash/png/decode.js";
import decodeJpeg from "@jsquash/jpeg/decode.js";
import decodeWebp from "@jsquash/webp/decode.js";
import { encodeImage, imageFormatOf } from "../../../core/image/mod.ts";
import { toRgba } from "../../../core/image/image.ts";

test("toRgba maps [-1, 1] to 0..255, clamps, and is opaque", () => {
  const planes = Float32Array.of(-1, 1, 0, -2, 1, 0.5, -1, 3, -0.9999, 1, 0.0001, 0);
  const { data } = toRgba(planes, 2, 2);
  expect([...data]).toEqual([
    ...[0, 255, 0, 255],
    ...[255, 191, 255, 255],
    ...[128, 0, 128, 255],
    ...[0, 255, 128, 255],
  ]);
});

const gradient = toRgba(
  Float32Array.from({ length: 3 * 32 * 16 }, (_, i) => Math.sin(i / 500)),
  32,
  16,
);

test("encodeImage as PNG is lossless", async () => {
  const decoded = await decodePng((await encodeImage(gradient, "png")).buffer);
  expect([decoded.width, decoded.height]).toEqual([32, 16]);
  expect([...decoded.data]).toEqual([...gradient.data]);
});

test.each(
  [["jpeg", decodeJpeg], ["webp", decodeWebp]] as const,
)("encodeImage as %s stays close", async (format, decode) => {
  const decoded = await decode((await encodeImage(gradient, format, 95)).buffer);
  const error = [...decoded.data].reduce((sum, v, i) => sum + Math.abs(v - gradient.data[i]), 0);
  // Chroma is stored at half resolution by both: a few levels on average.
  expect(error / decoded.data.length).toBeLessThan(8);
});

test.each([["a.png", "png"], ["b.JPG", "jpeg"], ["c.d.jpeg", "jpeg"], ["e.webp", "webp"]])(
  "imageFormatOf(%s) is %s",
  (path, format) => expect(imageFormatOf(path)).toBe(format),
);

test.each(["a.gif", "png", "a.png/x", ""])("imageFormatOf(%j) is refused", (path) => {
  expect(() => imageFormatOf(path)).toThrow("not .png, .jpg, .jpeg or .webp");
});
