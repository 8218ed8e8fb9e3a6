import { expect, test } from "vitest";
import { decodeInputImage, type RgbaImage } from "../../../core/image/mod.ts";
import { fileHash } from "../../../core/transcript/mod.ts";
import type { GenerateFlags } from "../../../server/generate/input.ts";
import { prepareSources, suffixesOf } from "../../../server/generate/inpainting.ts";
import { rejection } from "../../fixtures/rejection.ts";

const flags = (given: Partial<GenerateFlags>) => given as GenerateFlags;

function picture(levelAt: (x: number) => number): RgbaImage {
  const data = new Uint8ClampedArray(4 * 64 * 64).fill(255);
  for (let i = 0; i < 64 * 64; i++) data.fill(levelAt(i % 64), 4 * i, 4 * i + 3);
  return { width: 64, height: 64, data };
}

const image = { sha256: "ab".repeat(32), pixels: picture((x) => 4 * x) };
const mask = { sha256: "cd".repeat(32), pixels: picture((x) => x > 40 ? 255 : 0) };

test("without a flag the files are those that were given", async () => {
  const prepared = await prepareSources({ image, mask }, flags({}));
  expect(prepared.sources).toEqual({ image, mask });
  expect(suffixesOf(prepared)).toEqual([]);
});

test("a request names what was made, by the hash of the file beside the image", async () => {
  const soft = await prepareSources({ image, mask }, flags({ maskBlur: "2" }));
  expect(suffixesOf(soft)).toEqual(["-mask"]);
  expect(soft.sources.image).toBe(image);
  expect(soft.sources.mask?.sha256).toBe(fileHash(soft.made["-mask"]));
  expect(await decodeInputImage(soft.made["-mask"], "mask")).toEqual(soft.sources.mask?.pixels);
});

test("only what is masked is cropped, and what was drawn is put back there alone", async () => {
  const part = await prepareSources({ image, mask }, flags({ onlyMasked: true, padding: "8" }));
  expect(suffixesOf(part)).toEqual(["-source", "-mask", "-crop"]);
  // Columns 41 to 63, with 8 pixels to their left.
  expect(part.sources.image?.pixels).toMatchObject({ width: 31, height: 64 });
  const whole = part.paste?.(picture(() => 7));
  const row = Array.from({ length: 64 }, (_, x) => whole?.data[4 * x]);
  expect(row).toEqual(Array.from({ length: 64 }, (_, x) => x > 40 ? 7 : 4 * x));
});

test("outpainting has a size and a mask of its own", async () => {
  const { size, sources } = await prepareSources({ image }, flags({ outpaint: "32,0,0,64" }));
  expect(size).toEqual({ width: 96, height: 128 });
  expect(sources.mask?.pixels).toMatchObject({ width: 96, height: 128 });
});

test.each<[Partial<GenerateFlags>, RegExp]>([
  [{ padding: "3" }, /--padding is of --only-masked/],
  [{ maskBlur: "x" }, /--mask-blur has x, not a whole number of pixels from 0 to 64/],
  [{ outpaint: "1,2,3" }, /--outpaint makes its own mask/],
  [{ onlyMasked: true, parent: "r.json" }, /another file than the parent's/],
])("%j is refused", async (given, why) => {
  expect((await rejection(prepareSources({ image, mask }, flags(given)))).message).toMatch(why);
});

test("margins are four, and soft edges are of a mask of the image's size", async () => {
  const wrong = async (
    files: Parameters<typeof prepareSources>[0],
    given: Partial<GenerateFlags>,
  ) => (await rejection(prepareSources(files, flags(given)))).message;
  expect(await wrong({ image }, { outpaint: "1,2,3" })).toMatch(/not four numbers/);
  expect(await wrong({}, { outpaint: "1,2,3,4" })).toMatch(/--outpaint is of --image/);
  expect(await wrong({ image }, { maskBlur: "2" })).toMatch(/are of --mask/);
  const small = { ...mask, pixels: { ...mask.pixels, width: 32, height: 128 } };
  expect(await wrong({ image, mask: small }, { maskBlur: "2" })).toMatch(
    /the mask is 32x128 pixels, and the image 64x64/,
  );
});
