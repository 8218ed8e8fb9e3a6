import { describe, expect, test } from "vitest";
import {
  checkCanonical,
  decodeInputImage,
  encodeImage,
  type ImageFormat,
  type RgbaImage,
  textIn,
  withoutMetadata,
  withText,
} from "../../../core/image/mod.ts";
import { HASH_BITS, hashDistance, perceptualHash, resize } from "../../../core/image/mod.ts";

/** A square of a sheet of images. */
function cut({ width, data }: RgbaImage, left: number, top: number, side = 224): RgbaImage {
  const rows = Array.from({ length: side }, (_, y) => {
    const from = 4 * ((top + y) * width + left);
    return data.subarray(from, from + 4 * side);
  });
  return {
    ...{ width: side, height: side },
    data: new Uint8ClampedArray(rows.flatMap((row) => [...row])),
  };
}

/** Soft shapes, as images have: a sum of slow waves, chosen by a number. */
function picture(seed: number, width = 96, height = 64): RgbaImage {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let k = 0; k < width * height; k++) {
    const [x, y] = [k % width / width, Math.floor(k / width) / height];
    for (let channel = 0; channel < 3; channel++) {
      const wave = (n: number) =>
        Math.sin(n * seed + channel + 2 * Math.PI * (x * (1 + n * seed % 5) + y * (n % 4)));
      data[4 * k + channel] = 128 + 30 * (wave(1) + wave(2) + wave(3) + wave(4));
    }
  }
  return { width, height, data };
}

const formats: readonly ImageFormat[] = ["png", "jpeg", "webp"];
const TEXTS = ["Steps: 20, Size: 96x64", "ein größeres 𝛕, 図\nSteps: 1, Seed: 2, Size: 8x8", ""];

describe.each(formats)("%s", (format) => {
  test.each(TEXTS)(
    "carries a text, and is without it what it was, byte for byte: %j",
    async (text) => {
      const image = picture(1);
      const file = await encodeImage(image, format);
      const written = withText(file, format, text);
      expect(textIn(written, format)).toBe(text);
      expect(textIn(file, format)).toBeUndefined();
      expect(withoutMetadata(written, format)).toEqual(file);
      expect(() => checkCanonical(file, format, image)).not.toThrow();
      expect(await decodeInputImage(written, "image")).toEqual(
        await decodeInputImage(file, "image"),
      );
    },
  );

  test("has one text, the last", async () => {
    const file = await encodeImage(picture(2), format);
    const twice = withText(withText(file, format, "one"), format, "two");
    expect(textIn(twice, format)).toBe("two");
    expect(withoutMetadata(twice, format)).toEqual(file);
  });

  test("a file that is cut short is left as it is", async () => {
    const file = withText(await encodeImage(picture(3), format), format, "a text");
    for (let length = 0; length < file.length; length += 1 + Math.floor(file.length / 200)) {
      const cut = file.slice(0, length);
      expect(() => [textIn(cut, format), withoutMetadata(cut, format)]).not.toThrow();
    }
  });
});

test("PNG's chunk is tEXt for Latin-1 and iTXt for more, behind the header", async () => {
  const file = await encodeImage(picture(4), "png");
  const names = (text: string) =>
    String.fromCharCode(...withText(file, "png", text).subarray(37, 41));
  expect([names("größer"), names("𝛕")]).toEqual(["tEXt", "iTXt"]);
});

test("EXIF is one comment, as CIPA DC-008 has it and Pillow 12.3 reads it", async () => {
  // Pillow writes the same with endian ">", but that it calls the comment's type BYTE (1):
  // Image.Exif(), get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "aé".encode("utf-16-be"), tobytes().
  const file = withText(await encodeImage(picture(5), "jpeg"), "jpeg", "aé");
  const segment = file.subarray(24, 24 + 6 + 26 + 18 + 12);
  expect(segment.toHex()).toBe(
    "457869660000" + "4d4d002a00000008" + "0001876900040000" + "00010000001a00000000" +
      "0001928600070000000c0000002c00000000" + "554e49434f44450000610" + "0e9",
  );
});

test("a JPEG that has no room for its text stays without", async () => {
  const file = await encodeImage(picture(6), "jpeg");
  expect(withText(file, "jpeg", "x".repeat(40_000))).toEqual(file);
});

describe("perceptual hashes", () => {
  test("copies are near, other pictures are not", async () => {
    const sheet = await decodeInputImage(Deno.readFileSync("models/tau-tiny/samples.png"), "image");
    const images = [0, 1, 2, 3, 4, 5].map((k) =>
      cut(sheet, 40 + 290 * (k % 4), 40 + 300 * Math.floor(k / 4))
    );
    const hashes = images.map(perceptualHash);
    for (const [k, image] of images.entries()) {
      const small = resize(image, { width: 120, height: 120 });
      const jpeg = await decodeInputImage(await encodeImage(small, "jpeg", 40), "image");
      const webp = await decodeInputImage(await encodeImage(image, "webp", 40), "image");
      for (const copy of [small, jpeg, webp]) {
        expect(hashDistance(hashes[k], perceptualHash(copy))).toBeLessThanOrEqual(24);
      }
      for (const other of hashes.filter((_, at) => at !== k)) {
        expect(hashDistance(hashes[k], other)).toBeGreaterThan(48);
      }
    }
  });

  test("are 256 bits in hex, which differ in what is counted", () => {
    expect(perceptualHash(picture(1))).toMatch(/^[0-9a-f]{64}$/);
    expect(hashDistance("0".repeat(64), "f".repeat(64))).toBe(HASH_BITS);
    expect(hashDistance("0f", "1e")).toBe(2);
  });
});
