import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AppError } from "../../../core/error.ts";
import { decodeImage, encodeImage, type RgbaImage } from "../../../core/image/mod.ts";

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

test("decodeImage of an honest PNG holds after a thousand damaged ones", async () => {
  const honest = await encodeImage(picture, "png");
  const damaged = honest.with(honest.length - 20, honest[honest.length - 20] ^ 0xff);
  for (let i = 0; i < 1000; i++) {
    const error = await decodeImage(damaged, "png", size).catch((thrown: AppError) => thrown);
    expect(error).toMatchObject({ code: "encoding_failed" });
  }
  expect((await decodeImage(honest, "png", size)).data).toEqual(picture.data);
});

test("decodeImage inflates no more of a PNG than its header says", async () => {
  const bomb = await zlib(new Uint8Array(2 ** 28));
  const error = await decodeImage(png(16, 8, 6, bomb), "png", size).catch((e: AppError) => e);
  expect(error).toMatchObject({
    message: expect.stringMatching(/it has more pixels than its header says/),
  });
});

/** Rows of 3 pixels by each filter, worked out by hand from the standard's formulas. */
test.each([
  ["RGB, no filter", 2, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 255]],
  ["gray, left", 0, [1, 10, 5, 250], [10, 15, 9].flatMap((v) => [v, v, v, 255])],
  ["gray, above", 0, [2, 10, 5, 250], [10, 5, 250].flatMap((v) => [v, v, v, 255])],
  ["gray, average", 0, [3, 10, 5, 1], [10, 10, 6].flatMap((v) => [v, v, v, 255])],
  ["gray, Paeth", 0, [4, 10, 5, 1], [10, 15, 16].flatMap((v) => [v, v, v, 255])],
  ["gray and alpha", 4, [0, 9, 1, 8, 2, 7, 3], [9, 9, 9, 1, 8, 8, 8, 2, 7, 7, 7, 3]],
])("decodeImage reads %s", async (_, colour, row, pixels) => {
  const image = await decodeImage(
    png(3, 1, colour, await zlib(Uint8Array.from(row))),
    "png",
    { width: 3, height: 1 },
  );
  expect([...image.data]).toEqual(pixels);
});

async function zlib(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return await new Response(stream).bytes();
}

/** A PNG of 8 bits around what is compressed; the checksums of its chunks are not read. */
function png(width: number, height: number, colour: number, data: Uint8Array<ArrayBuffer>) {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, colour], 8);
  const chunk = (name: string, body: Uint8Array) => {
    const bytes = new Uint8Array(12 + body.length);
    new DataView(bytes.buffer).setUint32(0, body.length);
    bytes.set(new TextEncoder().encode(name), 4);
    bytes.set(body, 8);
    return bytes;
  };
  const chunks = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const file = new Uint8Array(8 + chunks.reduce((sum, { length }) => sum + length, 0));
  file.set(signature);
  let at = 8;
  for (const each of chunks) {
    file.set(each, at);
    at += each.length;
  }
  return file;
}

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
