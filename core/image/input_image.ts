import { counted } from "../counted.ts";
import { AppError, reason } from "../error.ts";
import { fileKind } from "../file_kind.ts";
import { REQUEST_LIMITS } from "../request_limits.ts";
import { encodeImage, type ImageFormat, type RgbaImage, tooManyScans } from "./image.ts";
import { imageSize } from "./image_size.ts";
import { jpegFrame, jpegHeader } from "./jpeg_header.ts";
import { viewOf } from "./not_canonical.ts";
import { orientationOf, turned } from "./orientation.ts";

/** Of an image that comes in: more than any request's own size takes. */
export const MAX_INPUT_BYTES = 64 * 2 ** 20;

/**
 * The pixels of a file that somebody gives, turned as its EXIF orientation says. What it claims is bounded
 * before anything is decoded.
 * @param what it is, for sentences: `image`, `mask`.
 * @throws AppError `invalid_request` naming what the file is, and what is taken instead.
 */
export async function decodeInputImage(
  file: Uint8Array<ArrayBuffer>,
  what: string,
): Promise<RgbaImage> {
  if (file.length > MAX_INPUT_BYTES) {
    refuse(what, `it has ${counted(file.length, "byte")}, at most ${MAX_INPUT_BYTES} are read`);
  }
  const format = formatOf(file, what);
  const size = imageSize(file, format) ?? refuse(what, `its header has no size of a ${format}`);
  const { side } = REQUEST_LIMITS;
  if (size.width < 1 || size.height < 1 || size.width > side || size.height > side) {
    refuse(what, `it is ${size.width}x${size.height} pixels, at most ${side}x${side} are read`);
  }
  if (format === "jpeg" && isCmyk(file)) {
    refuse(what, "it is a JPEG in CMYK: save it in RGB");
  }
  if (format === "jpeg" && isCut(file)) {
    refuse(what, "it is a JPEG without an end: it was cut off, copy it again");
  }
  const scans = format === "jpeg" && tooManyScans(file);
  if (scans) refuse(what, scans);
  const { width, height, data } = await decoded(file, format, what);
  if (width !== size.width || height !== size.height) refuse(what, "its size is not its header's");
  return turned({ width, height, data }, format === "jpeg" ? orientationOf(file) : 1);
}

interface Decoder {
  readonly default: (file: ArrayBuffer) => Promise<unknown>;
  readonly init: () => Promise<unknown>;
}

/** Decoders that take all kinds of their format, loaded when first used. */
const decoders: Readonly<Record<ImageFormat, () => Promise<Decoder>>> = {
  png: () => import("@jsquash/png/decode.js"),
  jpeg: () => import("@jsquash/jpeg/decode.js"),
  webp: () => import("@jsquash/webp/decode.js"),
};

async function decoded(
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  what: string,
): Promise<RgbaImage> {
  const decoder = await ours(format, decoders[format]);
  try {
    const { width, height, data } = await decoder.default(file.slice().buffer) as RgbaImage;
    return { width, height, data: new Uint8ClampedArray(data) };
  } catch (cause) {
    await ours(format, () => decodePixel(decoder, format));
    return refuse(what, `it cannot be decoded as ${format}: ${reason(cause)}`, cause);
  }
}

/** That a decoder fails with every file says nothing of this one. A new instance: what failed may be damaged. */
async function decodePixel(decoder: Decoder, format: ImageFormat): Promise<void> {
  await decoder.init();
  const pixel = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
  await decoder.default((await encodeImage(pixel, format)).buffer);
}

/** @throws AppError `encoding_failed` for what is not the file's fault. */
async function ours<T>(format: ImageFormat, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AppError("encoding_failed", `Cannot decode as ${format}: ${reason(cause)}`, {
      cause,
    });
  }
}

/** By what the file begins with, whatever its name says; undefined for what is none of ours. */
export function inputFormat(file: Uint8Array): ImageFormat | undefined {
  const kind = fileKind(file);
  return kind === "tensors" || kind === "json" ? undefined : kind;
}

function formatOf(file: Uint8Array, what: string): ImageFormat {
  const format = inputFormat(file);
  if (format) return format;
  const text = String.fromCharCode(...file.subarray(0, 12));
  const kind = /^GIF8/.test(text)
    ? "a GIF"
    : /^\s*</.test(text)
    ? "text such as SVG or HTML"
    : /^https?:/.test(text)
    ? "an address: give the file itself"
    : /^....ftyp/s.test(text)
    ? "AVIF, HEIC or a video"
    : "of another kind";
  return refuse(what, `it is ${kind}, not PNG, JPEG or WebP`);
}

/** By the number of components of its frame. */
function isCmyk(file: Uint8Array): boolean {
  const frame = jpegFrame(viewOf(file));
  return frame !== undefined && file[frame.at + 5] === 4;
}

/** The decoder would make the rest grey. Of the data of scans FF D9 is no part, which ends them. */
function isCut(file: Uint8Array): boolean {
  const view = viewOf(file);
  let at = 2;
  for (const segment of jpegHeader(view)) at = segment.at - 2 + view.getUint16(segment.at - 2);
  while (at >= 0 && file[at + 1] !== 0xd9) at = file.indexOf(0xff, at + 1);
  return at < 0;
}

function refuse(what: string, why: string, cause?: unknown): never {
  throw new AppError("invalid_request", `Cannot take the ${what}: ${why}`, { field: what, cause });
}
