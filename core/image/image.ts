import { AppError, reason } from "../error.ts";
import { decodePng } from "./decode_png.ts";
import { imageSize } from "./image_size.ts";

/** 8-bit RGBA, row by row from the top left. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  /** u8[height, width, 4] */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

export type ImageFormat = "png" | "jpeg" | "webp";

/**
 * Planes in [-1, 1] as opaque pixels, rounded to the nearest of 256 levels.
 * CPU reference of `shaders/to_rgba.wgsl`.
 * @param planes f32[3, height, width]; values outside are clamped.
 */
export function toRgba(planes: Float32Array, width: number, height: number): RgbaImage {
  const pixels = width * height;
  const data = new Uint8ClampedArray(4 * pixels).fill(255);
  for (let channel = 0; channel < 3; channel++) {
    const plane = planes.subarray(channel * pixels, (channel + 1) * pixels);
    for (let i = 0; i < pixels; i++) data[4 * i + channel] = Math.round((plane[i] + 1) * 127.5);
  }
  return { width, height, data };
}

/** By its media type: `image/` and the format. */
export function imageFormatOfType(mediaType: `image/${ImageFormat}`): ImageFormat {
  switch (mediaType) {
    case "image/png":
      return "png";
    case "image/jpeg":
      return "jpeg";
    case "image/webp":
      return "webp";
    default:
      return mediaType satisfies never;
  }
}

/** The other way, in [-1, 1]: f32[3, height, width]. Opacity is left out. */
export function fromRgba({ width, height, data }: RgbaImage): Float32Array {
  const pixels = width * height;
  return Float32Array.from(
    { length: 3 * pixels },
    (_, i) => data[4 * (i % pixels) + Math.floor(i / pixels)] / 127.5 - 1,
  );
}

/** @throws AppError `invalid_request` when the name's ending is no image format of ours. */
export function imageFormatOf(path: string): ImageFormat {
  const ending = /\.(png|jpe?g|webp)$/i.exec(path)?.[1].toLowerCase();
  switch (ending) {
    case "png":
    case "webp":
      return ending;
    case "jpg":
    case "jpeg":
      return "jpeg";
    default:
      throw new AppError(
        "invalid_request",
        `Cannot write ${path}: its ending is not .png, .jpg, .jpeg or .webp`,
      );
  }
}

/** Of the lossy formats, where nobody asks for another. */
const DEFAULT_QUALITY = 92;

/** @param quality 0 to 100, of the lossy formats. */
export async function encodeImage(
  image: RgbaImage,
  format: ImageFormat,
  quality = DEFAULT_QUALITY,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await encoders[format](asImageData(image), quality));
  } catch (cause) {
    throw new AppError("encoding_failed", `Cannot encode as ${format}: ${reason(cause)}`, {
      cause,
    });
  }
}

/**
 * The pixels of an encoded file.
 * @param size what it must be: a file that says otherwise is not decoded, as it may claim any.
 * @throws AppError `encoding_failed` when the file is not one of that format and size.
 */
export async function decodeImage(
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  size: Pick<RgbaImage, "width" | "height">,
): Promise<RgbaImage> {
  const stated = imageSize(file, format);
  if (stated?.width !== size.width || stated.height !== size.height) {
    const found = stated ? `${stated.width}x${stated.height}` : "not in its header";
    throw new AppError(
      "encoding_failed",
      `Cannot decode as ${format}: the size is ${found}, not ${size.width}x${size.height}`,
    );
  }
  const scans = format === "jpeg" && tooManyScans(file);
  if (scans) throw new AppError("encoding_failed", `Cannot decode as jpeg: ${scans}`);
  try {
    const data = format === "png"
      ? await decodePng(file, size)
      : await decodeWithCodec(file, await codecs[format](), size);
    return { width: size.width, height: size.height, data };
  } catch (cause) {
    throw new AppError("encoding_failed", `Cannot decode as ${format}: ${reason(cause)}`, {
      cause,
    });
  }
}

/** A progressive file of ours has about ten. Each takes a pass over all pixels, and few bytes. */
const MAX_SCANS = 100;

/** Why a JPEG is not decoded, if it has more scans than are read. */
export function tooManyScans(file: Uint8Array): string | undefined {
  const scans = scansOf(file);
  return scans > MAX_SCANS ? `it has ${scans} scans, at most ${MAX_SCANS} are read` : undefined;
}

/** Start-of-scan markers; in a scan's own data no 0xff is followed by 0xda. */
function scansOf(file: Uint8Array): number {
  let scans = 0;
  for (let at = file.indexOf(0xff); at >= 0; at = file.indexOf(0xff, at + 1)) {
    if (file[at + 1] === 0xda) scans++;
  }
  return scans;
}

/**
 * What fails in C ends its instance in the middle, memory and all, and a damaged instance may fail
 * at honest files, or never return: the next file gets a new one.
 */
async function decodeWithCodec(
  file: Uint8Array<ArrayBuffer>,
  codec: Codec,
  size: Pick<RgbaImage, "width" | "height">,
): Promise<Uint8ClampedArray<ArrayBuffer>> {
  try {
    const { width, height, data } = await codec.default(file.slice().buffer) as RgbaImage;
    if (width === size.width && height === size.height) return new Uint8ClampedArray(data);
    throw new Error(`it is ${width}x${height}`);
  } catch (error) {
    await codec.init();
    throw error;
  }
}

interface Codec {
  readonly default: (file: ArrayBuffer) => Promise<unknown>;
  readonly init: () => Promise<unknown>;
}

/** As the encoders, loaded when first used. */
const codecs: Readonly<Record<"jpeg" | "webp", () => Promise<Codec>>> = {
  jpeg: () => import("@jsquash/jpeg/decode.js"),
  webp: () => import("@jsquash/webp/decode.js"),
};

type Encode = (image: ImageDataLike, quality: number) => Promise<ArrayBuffer>;
interface ImageDataLike extends RgbaImage {
  readonly colorSpace: "srgb";
  readonly pixelFormat: "rgba-unorm8";
}

/** Each codec is loaded when first used: they are wasm modules of some hundred kilobytes. */
const encoders: Readonly<Record<ImageFormat, Encode>> = {
  png: async (image) => (await import("@jsquash/png/encode.js")).default(image),
  jpeg: async (image, quality) =>
    (await import("@jsquash/jpeg/encode.js")).default(image, { quality }),
  webp: async (image, quality) =>
    (await import("@jsquash/webp/encode.js")).default(image, { quality }),
};

function asImageData(image: RgbaImage): ImageDataLike {
  return { ...image, colorSpace: "srgb", pixelFormat: "rgba-unorm8" };
}
