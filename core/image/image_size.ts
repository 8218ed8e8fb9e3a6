import { jpegFrame } from "./jpeg_header.ts";

type Format = "png" | "jpeg" | "webp";

/** Pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * What an encoded file's header says of its size, so that no one decodes what would not fit into
 * memory. Undefined where there is no such header.
 */
export function imageSize(file: Uint8Array, format: Format): Size | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  try {
    return readers[format](view);
  } catch (error) {
    // Cut before the size.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const readers: Readonly<Record<Format, (view: DataView) => Size | undefined>> = {
  // IHDR is the first chunk: signature of 8 bytes, length, name.
  png: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }),
  jpeg: jpegSize,
  webp: webpSize,
};

/** Of another header than the decoder's no size counts. */
function jpegSize(view: DataView): Size | undefined {
  const frame = jpegFrame(view);
  if (!frame) return undefined;
  return { height: view.getUint16(frame.at + 1), width: view.getUint16(frame.at + 3) };
}

const RIFF = 0x52494646;
const WEBP = 0x57454250;

/**
 * A decoder also takes a bare bitstream without the container, whose own size stands elsewhere.
 * @see https://developers.google.com/speed/webp/docs/riff_container
 */
function webpSize(view: DataView): Size | undefined {
  if (view.getUint32(0) !== RIFF || view.getUint32(8) !== WEBP) return undefined;
  switch (view.getUint32(12)) {
    case 0x56503820: // "VP8 ": 14 bits each, behind the frame tag and a start code
      return {
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
      };
    case 0x5650384c: { // "VP8L": 14 bits each, less one, behind a signature byte
      const bits = view.getUint32(21, true);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 0x56503858: // "VP8X": 24 bits each, less one, behind flags
      // An animation is no image.
      if (view.getUint8(20) & 0x02) return undefined;
      return {
        width: (view.getUint32(23, true) >>> 8) + 1,
        height: (view.getUint32(26, true) >>> 8) + 1,
      };
    default:
      return undefined;
  }
}
