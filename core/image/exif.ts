import { viewOf } from "./not_canonical.ts";

/**
 * EXIF as TIFF, of one comment: what AUTOMATIC1111 and its readers look for in JPEG and WebP.
 * @see CIPA DC-008 (Exif 2.3), sections 4.6.2 and 4.6.5 (UserComment)
 */

const EXIF_POINTER = 0x8769;
const USER_COMMENT = 0x9286;
const [LONG, UNDEFINED] = [4, 7];
/** What a UserComment begins with: eight bytes that name its letters. */
const UNICODE = "UNICODE\0";
const ASCII = "ASCII\0\0\0";
/** Byte order, 42, and where the first directory begins. */
const HEADER = 8;
/** Of one entry: count, entry, and where the next directory begins. */
const DIRECTORY = 2 + 12 + 4;

/** The most bytes that {@link exifOf} adds to the text's own two a letter. */
export const EXIF_FRAME = HEADER + 2 * DIRECTORY + UNICODE.length;

/** A TIFF file whose only content is a comment, in UTF-16 as long as TIFF's own order, most first. */
export function exifOf(comment: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(EXIF_FRAME + 2 * comment.length);
  const view = viewOf(bytes);
  view.setUint32(0, 0x4d4d002a);
  view.setUint32(4, HEADER);
  const exif = HEADER + DIRECTORY;
  writeEntry(view, HEADER, [EXIF_POINTER, LONG, 1, exif]);
  const at = exif + DIRECTORY;
  writeEntry(view, exif, [USER_COMMENT, UNDEFINED, bytes.length - at, at]);
  for (let k = 0; k < UNICODE.length; k++) bytes[at + k] = UNICODE.charCodeAt(k);
  for (let k = 0; k < comment.length; k++) {
    view.setUint16(at + UNICODE.length + 2 * k, comment.charCodeAt(k));
  }
  return bytes;
}

/** A directory of one entry. */
function writeEntry(
  view: DataView,
  at: number,
  [tag, type, count, value]: readonly number[],
): void {
  view.setUint16(at, 1);
  view.setUint16(at + 2, tag);
  view.setUint16(at + 4, type);
  view.setUint32(at + 6, count);
  view.setUint32(at + 10, value);
}

/** The comment of a TIFF file, however it was written. @throws RangeError where it is cut short. */
export function commentOf(tiff: Uint8Array): string | undefined {
  const view = viewOf(tiff);
  const little = view.getUint16(0) === 0x4949;
  const exif = valueOf(view, view.getUint32(4, little), EXIF_POINTER, little);
  const comment = exif && valueOf(view, exif.value, USER_COMMENT, little);
  if (!comment) return undefined;
  const bytes = tiff.subarray(comment.value, comment.value + comment.count);
  const letters = bytes.subarray(UNICODE.length);
  const kind = String.fromCharCode(...bytes.subarray(0, UNICODE.length));
  if (kind === ASCII) return new TextDecoder().decode(letters);
  if (kind !== UNICODE) return undefined;
  return new TextDecoder(little ? "utf-16le" : "utf-16be").decode(letters);
}

function valueOf(
  view: DataView,
  directory: number,
  tag: number,
  little: boolean,
): { readonly count: number; readonly value: number } | undefined {
  const entries = view.getUint16(directory, little);
  for (let k = 0; k < entries; k++) {
    const at = directory + 2 + 12 * k;
    if (view.getUint16(at, little) !== tag) continue;
    return { count: view.getUint32(at + 4, little), value: view.getUint32(at + 8, little) };
  }
  return undefined;
}
