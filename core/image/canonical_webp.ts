import { counted } from "../counted.ts";
import { NotCanonical, viewOf } from "./not_canonical.ts";

const TEXT = { riff: "RIFF", webp: "WEBP", lossy: "VP8 " };
/** RIFF's name and length, "WEBP", and the chunk's name and length. */
const HEADER = 20;
/** A frame tag, a start code, and width and height. */
const FRAME_HEADER = 10;
const START_CODE = [0x9d, 0x01, 0x2a];

/**
 * RIFF of one chunk "VP8 ", whose lengths are the file's, with one key frame that is shown: no
 * extended header, and so no animation, opacity, profile or metadata.
 * @see https://developers.google.com/speed/webp/docs/riff_container
 * @see RFC 6386, section 9.1
 */
export function checkWebp(file: Uint8Array, size: { width: number; height: number }): void {
  const view = viewOf(file);
  const text = (at: number) => String.fromCharCode(...file.subarray(at, at + 4));
  if (text(0) !== TEXT.riff || text(8) !== TEXT.webp) throw new NotCanonical("it is no WebP");
  const chunk = text(12);
  if (chunk !== TEXT.lossy) {
    throw new NotCanonical(`its first chunk is ${JSON.stringify(chunk)}, not "VP8 "`);
  }
  const length = view.getUint32(16, true);
  const padding = length % 2;
  if (view.getUint32(4, true) !== file.length - 8 || file.length !== HEADER + length + padding) {
    throw new NotCanonical(
      `it has ${counted(file.length, "byte")}, more or less than its one chunk takes`,
    );
  }
  if (padding && file[file.length - 1] !== 0) throw new NotCanonical("its padding is not 0");
  checkFrame(file.subarray(HEADER, HEADER + length), size);
}

function checkFrame(frame: Uint8Array, size: { width: number; height: number }): void {
  const view = viewOf(frame);
  const tag = view.getUint16(0, true) | view.getUint8(2) << 16;
  const [inter, version, shown, first] = [tag & 1, tag >> 1 & 7, tag >> 4 & 1, tag >> 5];
  if (inter || version > 3 || !shown) {
    throw new NotCanonical(`its frame has the tag ${tag & 31}, which is of no shown key frame`);
  }
  if (START_CODE.some((byte, k) => view.getUint8(3 + k) !== byte)) {
    throw new NotCanonical("its frame has no start code");
  }
  // Two bits above the 14 of each would scale the shown image.
  const [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  if (width !== size.width || height !== size.height) {
    throw new NotCanonical(`it is ${width}x${height}, not ${size.width}x${size.height}`);
  }
  if (FRAME_HEADER + first > frame.length) throw new NotCanonical("it is cut short");
}
