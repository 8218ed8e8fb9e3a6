/**
 * Text beside the pixels of a file, where AUTOMATIC1111 and everybody who reads its images look for it:
 * PNG's text chunk `parameters`, and EXIF's UserComment of JPEG and WebP. A receipt commits to a file
 * without it: who takes it out has the file that is committed to, byte for byte.
 */
import { commentOf, EXIF_FRAME, exifOf } from "./exif.ts";
import {
  jpegFile,
  jpegParts,
  type Part,
  type Parts,
  pngFile,
  pngParts,
  webpFile,
  webpParts,
} from "./file_parts.ts";
import type { ImageFormat } from "./image.ts";
import { imageSize } from "./image_size.ts";

const KEYWORD = "parameters";
const EXIF_NAME = "Exif\0\0";
/** Bytes that a segment of a JPEG has at most, behind its length. */
const MAX_SEGMENT = 65_533;
/** Letters of a text that fits into a JPEG. */
const MAX_JPEG_TEXT = Math.floor((MAX_SEGMENT - EXIF_NAME.length - EXIF_FRAME) / 2);
/** Of WebP's extended header: there is EXIF. */
const HAS_EXIF = 0x08;

interface Container {
  readonly parts: (file: Uint8Array) => Parts;
  readonly file: (parts: Parts) => Uint8Array<ArrayBuffer>;
  /** Whether a part is of the picture itself. */
  readonly keeps: (part: Part) => boolean;
  readonly add: (parts: Parts, text: string) => Parts;
  readonly read: (part: Part) => string | undefined;
}

const containers: Readonly<Record<ImageFormat, Container>> = {
  png: {
    ...{ parts: pngParts, file: pngFile, read: pngText },
    // All that a decoder needs has a capital first letter, by PNG's rules.
    keeps: ({ name }) => /^[A-Z]/.test(name) || name === "tRNS",
    add: ({ parts: [header, ...others], rest }, text) => ({
      parts: [header, pngTextPart(text), ...others],
      rest,
    }),
  },
  jpeg: {
    ...{ parts: jpegParts, file: jpegFile },
    // Applications' segments but JFIF's, and comments.
    keeps: ({ name }) => name === "e0" || !/^e.$|^fe$/.test(name),
    add: ({ parts: [jfif, ...others], rest }, text) => ({
      parts: [jfif, { name: "e1", body: exifSegment(text) }, ...others],
      rest,
    }),
    read: ({ name, body }) =>
      name === "e1" && textAt(body, 0, EXIF_NAME.length) === EXIF_NAME
        ? commentOf(body.subarray(EXIF_NAME.length))
        : undefined,
  },
  webp: {
    ...{ parts: webpParts, file: webpFile },
    keeps: ({ name }) => ["VP8 ", "VP8L", "ALPH", "ANIM", "ANMF"].includes(name),
    add: ({ parts, rest }, text) => ({
      parts: [extendedHeader(parts), ...parts, { name: "EXIF", body: exifOf(text) }],
      rest,
    }),
    read: ({ name, body }) => name === "EXIF" ? commentOf(body) : undefined,
  },
};

/**
 * The file with a text beside its picture; what was beside it before is not there any more.
 * @param file as {@link withoutMetadata} leaves it: of the encoders here.
 * @returns the file alone where a JPEG has no room for the text.
 */
export function withText(
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  text: string,
): Uint8Array<ArrayBuffer> {
  if (format === "jpeg" && text.length > MAX_JPEG_TEXT) return file;
  const container = containers[format];
  return container.file(container.add(container.parts(withoutMetadata(file, format)), text));
}

/** The text, or undefined where a file has none or is none. */
export function textIn(file: Uint8Array, format: ImageFormat): string | undefined {
  const { parts, read } = containers[format];
  try {
    for (const part of parts(file).parts) {
      const text = read(part);
      if (text !== undefined) return text;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/**
 * The picture alone, as an encoder writes it: no text, EXIF, profile or credentials. A file that cannot
 * be taken apart is given back as it is.
 */
export function withoutMetadata(
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
): Uint8Array<ArrayBuffer> {
  const container = containers[format];
  try {
    const { parts, rest } = container.parts(file);
    const kept = parts.filter(container.keeps);
    // Opacity or movement needs the extended header, which says what else there is.
    if (kept.length === parts.length || kept.some(({ name }) => /^A/.test(name))) return file;
    return container.file({ parts: kept, rest });
  } catch (error) {
    if (error instanceof RangeError) return file;
    throw error;
  }
}

/** Latin-1 as `tEXt`, anything else as `iTXt`, as Python's imaging library chooses. */
function pngTextPart(text: string): Part {
  if (/^[\0-\xff]*$/.test(text)) {
    const letters = `${KEYWORD}\0${text}`;
    return { name: "tEXt", body: Uint8Array.from(letters, (letter) => letter.charCodeAt(0)) };
  }
  // Not compressed, of no language, and no other keyword.
  return { name: "iTXt", body: new TextEncoder().encode(`${KEYWORD}\0\0\0\0\0${text}`) };
}

function pngText({ name, body }: Part): string | undefined {
  const start = KEYWORD.length + 1;
  if (textAt(body, 0, start) !== `${KEYWORD}\0`) return undefined;
  if (name === "tEXt") return latin1(body.subarray(start));
  // Compressed text is nobody's that is read here.
  if (name !== "iTXt" || body[start] !== 0) return undefined;
  const language = body.indexOf(0, start + 2);
  const translated = body.indexOf(0, language + 1);
  return new TextDecoder().decode(body.subarray(translated + 1));
}

function exifSegment(text: string): Uint8Array {
  const exif = exifOf(text);
  const body = new Uint8Array(EXIF_NAME.length + exif.length);
  body.set(Uint8Array.from(EXIF_NAME, (letter) => letter.charCodeAt(0)));
  body.set(exif, EXIF_NAME.length);
  return body;
}

/** Flags, three bytes of nothing, and width and height less one in 24 bits each. */
function extendedHeader(parts: readonly Part[]): Part {
  const size = imageSize(webpFile({ parts, rest: new Uint8Array() }), "webp");
  const [width, height] = [(size?.width ?? 1) - 1, (size?.height ?? 1) - 1];
  const bytes = (value: number) => [value & 255, value >> 8 & 255, value >> 16 & 255];
  return {
    name: "VP8X",
    body: Uint8Array.of(HAS_EXIF, 0, 0, 0, ...bytes(width), ...bytes(height)),
  };
}

function textAt(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** Longer than what `fromCharCode` takes at once. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
