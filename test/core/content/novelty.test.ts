import { beforeAll, describe, expect, test } from "vitest";
import { type Fingerprint, fingerprintOf, noveltyOf } from "../../../core/content/mod.ts";
import { decodeImage, encodeImage, resize, type RgbaImage } from "../../../core/image/mod.ts";
import { samplePictures } from "../../fixtures/sample_pictures.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

let pictures: readonly RgbaImage[];
let published: readonly Fingerprint[];
beforeAll(async () => {
  pictures = await samplePictures();
  published = pictures.map(fingerprintOf);
});

async function asJpeg(image: RgbaImage): Promise<RgbaImage> {
  return await decodeImage(await encodeImage(image, "jpeg", 40), "jpeg", image);
}

function mirrored({ width, height, data }: RgbaImage): RgbaImage {
  const pixel = (i: number) => i - i % width + width - 1 - i % width;
  return { width, height, data: data.map((_, i) => data[4 * pixel(i >> 2) + i % 4]) };
}

function brighter(image: RgbaImage): RgbaImage {
  return { ...image, data: image.data.map((value, i) => i % 4 === 3 ? value : value + 12) };
}

describe("a published picture that comes again", () => {
  test.each([
    ["as it is", (image: RgbaImage) => image],
    ["as a poor JPEG", asJpeg],
    ["at two thirds of its size", (image: RgbaImage) => resize(image, { width: 128, height: 128 })],
    ["in a mirror", mirrored],
    ["brighter", brighter],
  ])("%s is not new, and is found", async (_how, change) => {
    for (const number of [0, 8, 14, 19]) {
      const again = noveltyOf(fingerprintOf(await change(pictures[number])), published);
      expect(again, `picture ${number}`).toEqual({
        ...{ value: 0, uncertainty: 0, nearest: number, duplicate: true },
      });
    }
  });
});

test("of pictures of one model none is taken for another, and all are new to some degree", () => {
  for (const [k, picture] of published.entries()) {
    const others = published.toSpliced(k, 1);
    const { value, duplicate } = noveltyOf(picture, others);
    expect(duplicate, `picture ${k}`).toBe(false);
    expect(value).toBeGreaterThan(0.05);
    expect(value).toBeLessThanOrEqual(1);
  }
});

test("where nothing was published, all is new", () => {
  expect(noveltyOf(published[0], [])).toMatchObject({ value: 1, nearest: undefined });
});

test("a picture is less new to one like it than to one of another kind", () => {
  // Both of a dark sky behind a metal symbol; a red disc and a green symbol on white.
  const [night, alike, white] = [published[0], published[22], published[14]];
  expect(noveltyOf(night, [alike]).value).toBeLessThan(noveltyOf(night, [white]).value);
});

test("embeddings of two kinds are not compared", () => {
  const other = { ...published[1], embedding: new Float32Array(3) };
  expect(thrownBy(() => noveltyOf(published[0], [other]))).toMatchObject({
    code: "shape_mismatch",
  });
});

/** A disc, left of the middle, on a ground. */
function disc(size: number, ground: readonly number[], ink: readonly number[]): RgbaImage {
  const data = new Uint8ClampedArray(4 * size * size);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [i % size / size - 0.35, Math.floor(i / size) / size - 0.5];
    data.set([...(Math.hypot(x, y) < 0.25 ? ink : ground), 255], 4 * i);
  }
  return { width: size, height: size, data };
}

test("the same form in other colours is another picture, at another size the same", () => {
  const [blue, red] = [[20, 40, 200], [210, 30, 30]]
    .map((ground) => fingerprintOf(disc(96, ground, [250, 250, 250])));
  expect(noveltyOf(red, [blue]).duplicate).toBe(false);
  const large = fingerprintOf(disc(200, [20, 40, 200], [250, 250, 250]));
  expect(noveltyOf(large, [blue]).duplicate).toBe(true);
});

test("a picture of a single pixel has a fingerprint", () => {
  const pixel = fingerprintOf(disc(1, [20, 40, 200], [250, 250, 250]));
  expect(pixel.embedding.every(Number.isFinite)).toBe(true);
});
