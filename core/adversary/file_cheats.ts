import { gaussianNoise } from "../noise/mod.ts";
import { encodeImage, type ImageFormat, type RgbaImage } from "../image/mod.ts";
import { bytesOf, IDAT, IEND, pngChunk, text, withPngData } from "./file_parts.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A way to serve something else than the image that was computed, by the file alone. */
export interface FileCheat {
  readonly name: string;
  readonly format: ImageFormat;
  /**
   * What is committed in place of the encoded image.
   * @param image the honest pixels.
   * @param other what the miner would rather show; of the same size.
   */
  readonly file: (image: RgbaImage, other: RgbaImage) => Promise<Bytes>;
}

/** RIFF's header, name and length of the only chunk. */
const WEBP_HEADER = 20;

const png = (image: RgbaImage) => encodeImage(image, "png");
const jpeg = (image: RgbaImage) => encodeImage(image, "jpeg");
const webp = (image: RgbaImage) => encodeImage(image, "webp");

const withPngChunk = (name: string, body: readonly number[]) => async (image: RgbaImage) => {
  const file = await png(image);
  return bytesOf(file.slice(0, IDAT), pngChunk(name, body), file.slice(IDAT));
};

const behind = (encode: (image: RgbaImage) => Promise<Bytes>) => async (image: RgbaImage) =>
  bytesOf(await encode(image), text("what nobody looks at"));

/** All that were got past level 3, and what is like them. */
export const fileCheats: readonly FileCheat[] = [
  { name: "an animation of another picture", format: "png", file: animated },
  {
    name: "every pixel transparent",
    format: "png",
    file: (image) => png({ ...image, data: image.data.map((v, k) => k % 4 === 3 ? 0 : v) }),
  },
  { name: "wrong checksums", format: "png", file: wrongChecksums },
  // 45455 is what most files have: a viewer that heeds another shows other colours.
  {
    name: "another gamma",
    format: "png",
    file: withPngChunk("gAMA", [0, 0, 0x20, 0]),
  },
  { name: "an unknown critical chunk", format: "png", file: withPngChunk("HIDE", [1, 2, 3]) },
  { name: "a text", format: "png", file: withPngChunk("tEXt", [...text("Comment\0other")]) },
  { name: "bytes behind the end", format: "png", file: behind(png) },
  { name: "bytes behind what is compressed", format: "png", file: behindZlib },
  { name: "Exif that turns the picture", format: "jpeg", file: turned },
  { name: "bytes behind the end", format: "jpeg", file: behind(jpeg) },
  { name: "a comment", format: "jpeg", file: withSegment(0xfe, text("what nobody looks at")) },
  { name: "a second picture behind the first", format: "jpeg", file: twoPictures },
  { name: "an extended header with opacity", format: "webp", file: extended(0x10, "ALPH") },
  { name: "an animation", format: "webp", file: extended(0x02, "ANIM") },
  { name: "a colour profile", format: "webp", file: extended(0x20, "ICCP") },
  { name: "Exif", format: "webp", file: extended(0x08, "EXIF") },
  { name: "bytes behind the end", format: "webp", file: behind(webp) },
  { name: "8 KiB behind the last scan", format: "jpeg", file: behindScan },
  { name: "8 KiB behind the last partition", format: "webp", file: behindPartition },
  { name: "a bit in every value", format: "png", file: (image) => png(withLowBits(image)) },
  { name: "a stamp of 274 pixels", format: "png", file: (image) => png(stamped(image)) },
  { name: "a stamp of 274 pixels", format: "jpeg", file: (image) => jpeg(stamped(image)) },
  { name: "a stamp of 274 pixels", format: "webp", file: (image) => webp(stamped(image)) },
];

/** An APNG whose default image is hidden: a browser plays the frames alone. */
async function animated(image: RgbaImage, other: RgbaImage): Promise<Bytes> {
  const [hidden, shown] = [await png(image), await png(other)];
  const { width, height } = image;
  const control = [
    ...big(0),
    ...big(width),
    ...big(height),
    ...big(0),
    ...big(0),
    0,
    1,
    0,
    1,
    0,
    0,
  ];
  const data = shown.subarray(IDAT + 8, -IEND - 4);
  return bytesOf(
    hidden.slice(0, IDAT),
    pngChunk("acTL", [...big(1), ...big(0)]),
    hidden.slice(IDAT, -IEND),
    pngChunk("fcTL", control),
    pngChunk("fdAT", [...big(1), ...data]),
    hidden.slice(-IEND),
  );
}

/** Some viewers show nothing of it, others do not look. */
async function wrongChecksums(image: RgbaImage): Promise<Bytes> {
  const file = await png(image);
  file[IDAT - 1] ^= 1;
  return file;
}

async function behindZlib(image: RgbaImage): Promise<Bytes> {
  return withPngData(await png(image), (data) => bytesOf(data, text("what nobody looks at")));
}

/** Orientation 3 of 8: upside down. */
function turned(image: RgbaImage): Promise<Bytes> {
  const tiff = [
    0x4d,
    0x4d,
    0,
    42,
    ...big(8),
    0,
    1,
    0x01,
    0x12,
    0,
    3,
    ...big(1),
    0,
    3,
    0,
    0,
    ...big(0),
  ];
  return withSegment(0xe1, bytesOf(text("Exif\0\0"), tiff))(image);
}

/** Behind JFIF's own, which is 18 bytes after the start of 2. */
function withSegment(marker: number, body: Bytes) {
  return async (image: RgbaImage): Promise<Bytes> => {
    const file = await jpeg(image);
    const length = body.length + 2;
    const head = [0xff, marker, length >> 8, length & 255];
    return bytesOf(file.slice(0, 20), head, body, file.slice(20));
  };
}

async function twoPictures(image: RgbaImage, other: RgbaImage): Promise<Bytes> {
  return bytesOf(await jpeg(image), await jpeg(other));
}

/** With a header that has this flag, and an empty chunk of what the flag promises. */
function extended(flag: number, name: string) {
  return async (image: RgbaImage): Promise<Bytes> => {
    const chunk = (await webp(image)).slice(WEBP_HEADER - 8);
    const side = (pixels: number) => big(pixels - 1).toReversed().slice(0, 3);
    const canvas = [flag, 0, 0, 0, ...side(image.width), ...side(image.height)];
    const extra = [...text(name), 0, 0, 0, 0];
    const body = bytesOf(text("WEBPVP8X"), [10, 0, 0, 0], canvas, extra, chunk);
    return bytesOf(text("RIFF"), big(body.length).toReversed(), body);
  };
}

const HIDDEN = new Uint8Array(8192).fill(0x55);

/** Decoders pass over what follows the last block. */
async function behindScan(image: RgbaImage): Promise<Bytes> {
  const file = await jpeg(image);
  return bytesOf(file.slice(0, -2), HIDDEN, file.slice(-2));
}

async function behindPartition(image: RgbaImage): Promise<Bytes> {
  const file = await webp(image);
  const length = new DataView(file.buffer).getUint32(WEBP_HEADER - 4, true);
  const frame = bytesOf(file.slice(WEBP_HEADER, WEBP_HEADER + length), HIDDEN);
  const little = (value: number) => big(value).toReversed();
  const chunk = bytesOf(text("WEBPVP8 "), little(frame.length), frame, frame.length % 2 ? [0] : []);
  return bytesOf(text("RIFF"), little(chunk.length), chunk);
}

/** A text of as many bits as there are values: nobody sees it, and a program reads it. */
function withLowBits(image: RgbaImage): RgbaImage {
  const noise = gaussianNoise(1n, 0, image.data.length);
  const data = image.data.map((value, k) => k % 4 === 3 ? value : value & 254 | +(noise[k] > 0));
  return { ...image, data };
}

/** In the middle, 20 pixels wide: the colours that are there, lighter or darker by 100 of 255. */
function stamped(image: RgbaImage): RgbaImage {
  const { width, height } = image;
  const data = image.data.slice();
  const corner = width * ((height - 14) >> 1) + ((width - 20) >> 1);
  for (let pixel = 0; pixel < 274; pixel++) {
    const at = 4 * (corner + width * Math.floor(pixel / 20) + pixel % 20);
    for (let k = at; k < at + 3; k++) data[k] += data[k] < 128 ? 100 : -100;
  }
  return { ...image, data };
}

function big(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => value >>> shift & 255);
}
