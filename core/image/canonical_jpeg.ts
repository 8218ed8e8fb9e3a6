import { counted } from "../counted.ts";
import { JpegScans } from "./jpeg_scans.ts";
import { NotCanonical, viewOf } from "./not_canonical.ts";

const [SOI, EOI, APP0, DQT, DHT, SOS, BASELINE, PROGRESSIVE] = [
  ...[0xd8, 0xd9, 0xe0, 0xdb, 0xc4, 0xda, 0xc0, 0xc2],
];
/** "JFIF", version 1.1, square pixels of no stated size, no thumbnail. */
const JFIF = [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
/** Of the luma, horizontally and vertically; that of the chroma is 1 and 1. */
const SAMPLINGS = [0x11, 0x21, 0x22];

interface Segment {
  readonly marker: number;
  /** Behind its length. */
  readonly body: Uint8Array;
}

/**
 * SOI, JFIF, quantisation tables, one frame (baseline or progressive, 8 bits, Y, Cb and Cr), then
 * Huffman tables and scans until every coefficient is whole, EOI, and no byte more: no Exif, profile
 * or comment, no thumbnail, no restart markers, no arithmetic coding.
 * @see ITU-T T.81, annex B
 */
export function checkJpeg(file: Uint8Array, size: { width: number; height: number }): void {
  const segments = segmentsOf(file);
  const [first] = segments;
  if (first?.marker !== APP0 || JFIF.some((byte, k) => first.body[k] !== byte)) {
    throw new NotCanonical("it does not begin with JFIF 1.1 without a thumbnail");
  }
  if (first.body.length !== JFIF.length) throw new NotCanonical("its JFIF segment is too long");
  checkSegments(segments.slice(1), size);
}

/** Tables, then the frame, then scans with their tables. */
function checkSegments(segments: readonly Segment[], size: { width: number; height: number }) {
  let scans: JpegScans | undefined;
  for (const { marker, body } of segments) {
    if (marker === DQT && !scans) checkTables(body, (head) => 64 * (1 + (head >> 4)));
    else if (marker === DHT && scans) checkTables(body, huffmanBytes);
    else if (marker === SOS && scans) scans.add(body);
    else if ((marker === BASELINE || marker === PROGRESSIVE) && !scans) {
      checkFrame(body, size);
      scans = new JpegScans(marker === PROGRESSIVE);
    } else throw new NotCanonical(`it has the marker ${marker.toString(16)} out of place`);
  }
  if (!scans?.complete) throw new NotCanonical("its scans leave coefficients out");
}

/** All between SOI and EOI; a scan's data is passed over. */
function segmentsOf(file: Uint8Array): Segment[] {
  const view = viewOf(file);
  if (view.getUint16(0) !== (0xff00 | SOI)) throw new NotCanonical("it is no JPEG");
  const segments: Segment[] = [];
  for (let at = 2;;) {
    const [prefix, marker] = [view.getUint8(at), view.getUint8(at + 1)];
    if (prefix !== 0xff) throw new NotCanonical(`byte ${at} is no marker`);
    if (marker === EOI) {
      const more = file.length - at - 2;
      if (more > 0) {
        throw new NotCanonical(`it goes on behind its end, by ${counted(more, "byte")}`);
      }
      return segments;
    }
    if (!KNOWN.includes(marker)) throw new NotCanonical(`it has the marker ${marker.toString(16)}`);
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > file.length) throw new NotCanonical("it is cut short");
    segments.push({ marker, body: file.subarray(at + 4, at + 2 + length) });
    at += 2 + length;
    if (marker === SOS) at = endOfScan(file, at);
  }
}

const KNOWN: readonly number[] = [APP0, DQT, DHT, SOS, BASELINE, PROGRESSIVE];

/** In a scan's data a 0xff is followed by 0. */
function endOfScan(file: Uint8Array, from: number): number {
  for (let at = file.indexOf(0xff, from); at >= 0; at = file.indexOf(0xff, at + 2)) {
    if (file[at + 1] !== 0) return at;
  }
  throw new NotCanonical("it is cut short");
}

/** Tables one after the other, each of a byte and what follows from it, and nothing else. */
function checkTables(
  body: Uint8Array,
  bytesOf: (head: number, table: Uint8Array) => number,
): void {
  let at = 0;
  while (at < body.length) {
    const head = body[at];
    if (head >> 4 > 1 || (head & 15) > 3) throw new NotCanonical(`it has a table ${head}`);
    at += 1 + bytesOf(head, body.subarray(at + 1));
  }
  if (at !== body.length) {
    throw new NotCanonical("a segment of tables has another length than they");
  }
}

/** How many codes each of 16 lengths has, and their symbols. */
function huffmanBytes(_: number, table: Uint8Array): number {
  return table.subarray(0, 16).reduce((sum, codes) => sum + codes, 16);
}

function checkFrame(body: Uint8Array, size: { width: number; height: number }): void {
  const view = viewOf(body);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  if (width !== size.width || height !== size.height) {
    throw new NotCanonical(`it is ${width}x${height}, not ${size.width}x${size.height}`);
  }
  const [bits, parts] = [body[0], body[5]];
  if (bits !== 8 || parts !== 3 || body.length !== 15) {
    throw new NotCanonical(`it has ${bits} bits and ${parts} components, not 8 and 3`);
  }
  const ids = [body[6], body[9], body[12]];
  const samplings = [body[7], body[10], body[13]];
  if (ids.join() !== "1,2,3") throw new NotCanonical(`its components are ${ids.join()}, not 1,2,3`);
  if (!SAMPLINGS.includes(samplings[0]) || samplings[1] !== 0x11 || samplings[2] !== 0x11) {
    throw new NotCanonical(`its sampling is ${samplings.join()}, which is none of ours`);
  }
}
