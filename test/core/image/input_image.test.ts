import { describe, expect, test } from "vitest";
import { decodeInputImage, encodeImage, resize, type RgbaImage } from "../../../core/image/mod.ts";

/** Four pixels in a row: red, green, blue, white. */
const ROW: RgbaImage = {
  width: 4,
  height: 1,
  data: Uint8ClampedArray.of(
    ...[255, 0, 0, 255, 0, 255, 0, 255],
    ...[0, 0, 255, 255, 255, 255, 255, 255],
  ),
};

function picture(width: number, height: number): RgbaImage {
  const data = Uint8ClampedArray.from(
    { length: 4 * width * height },
    (_, i) => i % 4 === 3 ? 255 : (37 * Math.floor(i / 4)) % 251,
  );
  return { width, height, data };
}

const text = (letters: string) => Uint8Array.from(letters, (letter) => letter.charCodeAt(0));

/** A JPEG with an APP1 segment of TIFF whose one tag is the orientation. */
async function jpegHeld(orientation: number): Promise<Uint8Array<ArrayBuffer>> {
  const plain = await encodeImage(picture(16, 8), "jpeg", 100);
  const exif = text(
    "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" +
      String.fromCharCode(orientation) + "\0\0\0\0\0\0",
  );
  const segment = Uint8Array.of(0xff, 0xe1, 0, exif.length + 2, ...exif);
  return Uint8Array.of(...plain.subarray(0, 2), ...segment, ...plain.subarray(2));
}

describe("decodeInputImage", () => {
  test.each(["png", "webp", "jpeg"] as const)(
    "reads a %s, whatever it is called",
    async (format) => {
      const { width, height } = await decodeInputImage(
        await encodeImage(picture(24, 16), format),
        "image",
      );
      expect([width, height]).toEqual([24, 16]);
    },
  );

  test.each([
    [1, [16, 8], [0, 0]],
    [2, [16, 8], [15, 0]],
    [3, [16, 8], [15, 7]],
    [4, [16, 8], [0, 7]],
    [5, [8, 16], [0, 0]],
    [6, [8, 16], [7, 0]],
    [7, [8, 16], [7, 15]],
    [8, [8, 16], [0, 15]],
  ])("EXIF orientation %i: size and corner as a viewer shows them", async (held, size, corner) => {
    const plain = await decodeInputImage(await jpegHeld(1), "image");
    const turned = await decodeInputImage(await jpegHeld(held), "image");
    expect([turned.width, turned.height]).toEqual(size);
    // Where the pixel at the top left of the file is seen.
    const at = 4 * (corner[1] * turned.width + corner[0]);
    expect([...turned.data.subarray(at, at + 4)]).toEqual([...plain.data.subarray(0, 4)]);
  });

  const png = () => encodeImage(picture(8, 8), "png");
  /** Each takes a pass over all pixels, and in a file of one's own a few bytes. */
  const manyScans = async () => {
    const jpeg = await encodeImage(picture(8, 8), "jpeg");
    const start = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xda);
    const scans = Array.from({ length: 200 }, () => [...jpeg.subarray(start, start + 20)]).flat();
    return Uint8Array.of(...jpeg.subarray(0, start), ...scans, ...jpeg.subarray(start));
  };
  const CMYK = Uint8Array.of(
    ...[0xff, 0xd8, 0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4],
    ...[1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0],
  );
  test.each<[string, () => Promise<Uint8Array<ArrayBuffer>>, RegExp]>([
    ["an SVG", () => Promise.resolve(text("<svg xmlns='...'/>")), /text such as SVG or HTML/],
    ["an address", () => Promise.resolve(text("https://example.com/a.png")), /an address/],
    ["a GIF", () => Promise.resolve(text("GIF89a....")), /a GIF, not PNG, JPEG or WebP/],
    ["nothing", () => Promise.resolve(new Uint8Array()), /of another kind/],
    ["a JPEG in CMYK", () => Promise.resolve(CMYK), /CMYK: save it in RGB/],
    ["a JPEG of 200 scans", manyScans, /it has 2\d\d scans, at most 100 are read/],
    ["a PNG cut short", async () => (await png()).slice(0, 60), /cannot be decoded as png/],
    ["a PNG that claims 60000 pixels a side", async () => {
      const file = await png();
      new DataView(file.buffer).setUint32(16, 60_000);
      return file;
    }, /60000x8 pixels, at most 4096x4096/],
    ["an animated WebP", async () => {
      const file = text("RIFF....WEBPVP8X....\x02.........").slice();
      await Promise.resolve();
      return file;
    }, /no size of a webp/],
  ])("refuses %s by name", async (_, file, why) => {
    await expect(decodeInputImage(await file(), "mask")).rejects.toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(why),
    });
  });
});

const PILLOW = { 4: [15, 73, 137, 195], 8: [0, 4, 20, 38, 52, 70, 86, 93] };

describe("resize", () => {
  test("at the same size is the image itself", () => {
    expect(resize(ROW, ROW)).toBe(ROW);
  });

  test("of one colour is that colour at any size", () => {
    const grey = { ...picture(5, 7), data: new Uint8ClampedArray(4 * 35).fill(200) };
    for (const size of [{ width: 16, height: 3 }, { width: 2, height: 40 }]) {
      const { data } = resize(grey, size);
      expect(new Set(data)).toEqual(new Set([200]));
    }
  });

  // Pillow 12.3.0's Lanczos of the same ramps; it rounds its weights to 22 bits and rows between passes.
  test.each([[8, 4], [4, 8]])("of a ramp from %i to %i is as Pillow's", (from, to) => {
    const data = new Uint8ClampedArray(4 * from);
    for (let x = 0; x < from; x++) data.fill(30 * x, 4 * x, 4 * x + 4);
    const { data: made } = resize({ width: from, height: 1, data }, { width: to, height: 1 });
    const found = Array.from({ length: to }, (_, x) => made[4 * x]);
    const pillow: Record<number, number[]> = PILLOW;
    for (const [x, value] of pillow[to].entries()) {
      expect(Math.abs(found[x] - value), `pixel ${x}: ${found}`).toBeLessThanOrEqual(1);
    }
  });
});
