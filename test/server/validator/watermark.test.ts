import { expect, test } from "vitest";
import { decodeImage, encodeImage, type RgbaImage } from "../../../core/image/mod.ts";
import { watermarkFile, withWatermark } from "../../../server/validator/watermark.ts";

function grey(side: number, value: number): RgbaImage {
  const data = new Uint8ClampedArray(4 * side * side).fill(value);
  return { width: side, height: side, data };
}

test.each([[64], [256], [1024]])(
  "is seen in the lower right corner of %i pixels, on any ground",
  (side) => {
    for (const ground of [0, 128, 255]) {
      const { data } = withWatermark(grey(side, ground));
      const changed = [...data.keys()].filter((i) => data[i] !== ground);
      expect(changed.length).toBeGreaterThan(0);
      for (const i of changed) {
        const [x, y] = [Math.floor(i / 4) % side, Math.floor(i / 4 / side)];
        expect(Math.min(x, y)).toBeGreaterThan(0.8 * side);
        // Opacity stays.
        expect(i % 4).not.toBe(3);
      }
      const values = changed.map((i) => data[i]);
      expect(Math.max(...values.map((value) => Math.abs(value - ground)))).toBeGreaterThan(90);
    }
  },
);

test("a file comes back in its format, with the image around the sign as it was", async () => {
  const file = await encodeImage(grey(64, 200), "png");
  const marked = await decodeImage(
    await watermarkFile(file, "png", grey(64, 0)),
    "png",
    grey(64, 0),
  );
  expect(marked.data.slice(0, 400)).toEqual(grey(10, 200).data);
  expect(marked.data).not.toEqual(grey(64, 200).data);
});
