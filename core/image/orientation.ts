import type { RgbaImage } from "./image.ts";
import { jpegHeader } from "./jpeg_header.ts";
import { viewOf } from "./not_canonical.ts";

/** EXIF's tag for how a camera was held. */
const TAG = 0x0112;

/**
 * EXIF's orientation of a JPEG, 1 to 8; 1 where it says none that there is.
 * @see CIPA DC-008 (Exif 2.3), section 4.6.4.
 */
export function orientationOf(file: Uint8Array): number {
  const view = viewOf(file);
  try {
    for (const { marker, at } of jpegHeader(view)) {
      // "Exif" and two zeros, then TIFF.
      if (marker === 0xe1 && view.getUint32(at) === 0x45786966) return tiffTag(view, at + 6);
    }
  } catch (error) {
    // Cut short.
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

function tiffTag(view: DataView, start: number): number {
  const little = view.getUint16(start) === 0x4949;
  const directory = start + view.getUint32(start + 4, little);
  const entries = view.getUint16(directory, little);
  for (let k = 0; k < entries; k++) {
    const entry = directory + 2 + 12 * k;
    if (view.getUint16(entry, little) !== TAG) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** The image as it is to be seen. */
export function turned(image: RgbaImage, orientation: number): RgbaImage {
  if (orientation === 1) return image;
  const { width, height } = image;
  const [right, bottom] = [width - 1, height - 1];
  // Where the pixel of the result at (x, y) comes from.
  const places: Readonly<Record<number, (x: number, y: number) => readonly [number, number]>> = {
    2: (x, y) => [right - x, y],
    3: (x, y) => [right - x, bottom - y],
    4: (x, y) => [x, bottom - y],
    5: (x, y) => [y, x],
    6: (x, y) => [y, bottom - x],
    7: (x, y) => [right - y, bottom - x],
    8: (x, y) => [right - y, x],
  };
  const place = places[orientation];
  const size = orientation >= 5 ? { width: height, height: width } : { width, height };
  const from = new Uint32Array(image.data.buffer, image.data.byteOffset, width * height);
  const to = new Uint32Array(width * height);
  for (let i = 0; i < to.length; i++) {
    const [x, y] = place(i % size.width, Math.floor(i / size.width));
    to[i] = from[y * width + x];
  }
  return { ...size, data: new Uint8ClampedArray(to.buffer) };
}
