import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppError } from "../../../core/error.ts";
import {
  checkCanonical,
  checkOpaque,
  encodeImage,
  type ImageFormat,
  type RgbaImage,
} from "../../../core/image/mod.ts";

const FORMATS = ["png", "jpeg", "webp"] as const;
const picture = pictureOf(33, 17);

function pictureOf(width: number, height: number): RgbaImage {
  const data = Uint8ClampedArray.from(
    { length: 4 * width * height },
    (_, k) => k % 4 === 3 ? 255 : (7 * k + 31 * (k >> 5)) % 256,
  );
  return { width, height, data };
}

/** What is said of a file; undefined where it is canonical. */
function refusalOf(file: Uint8Array, format: ImageFormat, size = picture): string | undefined {
  try {
    checkCanonical(file, format, size);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ name: "AppError", code: "image_not_canonical" });
    return (error as AppError).message;
  }
}

// Our encoder samples the chroma of a JPEG in three ways by the quality; below 25 or so its tables
// have 16 bits. An odd length of a WebP is padded.
test.each(FORMATS)("every %s that we write is canonical", async (format) => {
  for (const [width, height] of [[1, 1], [33, 17], [64, 48]]) {
    const image = pictureOf(width, height);
    for (const quality of format === "png" ? [92] : [1, 10, 50, 80, 85, 92, 100]) {
      const file = await encodeImage(image, format, quality);
      expect(refusalOf(file, format, image)).toBeUndefined();
    }
  }
});

describe.each(FORMATS)("a %s", async (format) => {
  const honest = await encodeImage(picture, format);

  test("of another size than the request's is refused", () => {
    expect(refusalOf(honest, format, pictureOf(17, 33))).toContain("it is 33x17, not 17x33");
  });

  test("that is cut or goes on is refused at every length", () => {
    const longer = Uint8Array.of(...honest, ...new Uint8Array(12));
    const taken = [...longer.keys()].filter((length) =>
      refusalOf(longer.subarray(0, length), format) === undefined
    );
    expect(taken).toEqual([honest.length]);
  });

  test("of random damage is canonical or refused with one code", () => {
    const flips = fc.array(fc.nat(8 * honest.length - 1), { minLength: 1, maxLength: 8 });
    const noise = fc.uint8Array({ maxLength: 60 });
    fc.assert(fc.property(flips, noise, fc.nat(honest.length), (bits, bytes, at) => {
      const flipped = honest.slice();
      for (const bit of bits) flipped[bit >> 3] ^= 1 << (bit & 7);
      refusalOf(flipped, format);
      refusalOf(Uint8Array.of(...honest.slice(0, at), ...bytes, ...honest.slice(at)), format);
      refusalOf(bytes, format);
    }));
  });
});

test("of a PNG a flipped bit in any byte is seen by the checksums", async () => {
  const honest = await encodeImage(picture, "png");
  const unseen = [...honest.keys()].filter((at) =>
    refusalOf(honest.with(at, honest[at] ^ 1 << at % 8), "png") === undefined
  );
  expect(unseen).toEqual([]);
});

/** Where a marker stands that the encoder writes once, or the k-th of it. */
function markerAt(file: Uint8Array, marker: number, k = 0): number {
  const places = [...file.keys()].filter((at) => file[at] === 0xff && file[at + 1] === marker);
  return places[k];
}

const edited = (file: Uint8Array, at: number, bytes: number[], instead = 0) =>
  Uint8Array.of(...file.slice(0, at), ...bytes, ...file.slice(at + instead));

const progressive = await encodeImage(picture, "jpeg");
const [frame, scan, second] = [
  markerAt(progressive, 0xc2),
  markerAt(progressive, 0xda),
  markerAt(progressive, 0xda, 1),
];

test.each([
  ["of 12 bits", edited(progressive, frame + 4, [12], 1), "12 bits and 3 components"],
  ["of other components", edited(progressive, frame + 10, [82], 1), "components are 82,2,3"],
  ["of another sampling", edited(progressive, frame + 11, [0x41], 1), "its sampling is 65,17,17"],
  ["with arithmetic coding", edited(progressive, frame + 1, [0xca], 1), "it has the marker ca"],
  ["with restart intervals", edited(progressive, frame, [255, 0xdd, 0, 4, 0, 1]), "marker dd"],
  ["with Adobe's segment", edited(progressive, 20, [255, 0xee, 0, 2]), "it has the marker ee"],
  ["with a thumbnail's size", edited(progressive, 18, [1], 1), "without a thumbnail"],
  ["with two frames", edited(progressive, frame, [...progressive.slice(frame, frame + 19)]), "c2"],
  [
    "with a scan twice",
    edited(progressive, scan, [...progressive.slice(scan, second)]),
    "a scan tells of coefficients again",
  ],
  [
    "without its later scans",
    edited(progressive, second, [], -2 - second),
    "leave coefficients out",
  ],
])("a JPEG %s is refused", (_, file, found) => {
  expect(refusalOf(file, "jpeg")).toContain(found);
});

test("pixels are opaque, or refused", () => {
  const { data } = picture;
  expect(() => checkOpaque(picture, "png")).not.toThrow();
  expect(() => checkOpaque({ data: data.with(7, 254) as typeof data }, "png")).toThrow(
    "a pixel has the opacity 254, not 255",
  );
});
