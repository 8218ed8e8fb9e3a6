import { counted } from "../counted.ts";
import { crc32 } from "./crc32.ts";
import { SIGNATURE } from "./decode_png.ts";
import { NotCanonical, viewOf } from "./not_canonical.ts";

/** Length, name and checksum around a chunk's body. */
const FRAME = 12;

interface Chunk {
  readonly name: string;
  readonly body: Uint8Array;
}

/**
 * Signature, IHDR, IDATs, IEND, each with its checksum, and no byte more: 8 bits, RGB or RGBA, not
 * interlaced. Whether RGBA is opaque shows when it is decoded.
 * @see PNG, third edition, https://www.w3.org/TR/png-3/
 */
export function checkPng(file: Uint8Array, size: { width: number; height: number }): void {
  if (SIGNATURE.some((byte, k) => file[k] !== byte)) throw new NotCanonical("it is no PNG");
  const chunks = chunksOf(file);
  if (chunks.length < 3) throw new NotCanonical("it has no IHDR, IDAT and IEND");
  for (const [k, { name, body }] of chunks.entries()) checkChunk(k, chunks.length, name, body);
  checkHeader(chunks[0].body, size);
}

function chunksOf(file: Uint8Array): Chunk[] {
  const view = viewOf(file);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at < file.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const named = file.subarray(at + 4, at + 8 + length);
    if (view.getUint32(at + 8 + length) !== crc32(named)) {
      throw new NotCanonical(`the checksum of ${quoted(name)} is wrong`);
    }
    chunks.push({ name, body: named.subarray(4) });
    at += FRAME + length;
    if (name === "IEND" && at < file.length) {
      throw new NotCanonical(`it goes on behind IEND, by ${counted(file.length - at, "byte")}`);
    }
  }
  return chunks;
}

/** The first is IHDR, the last IEND, and all between are IDAT. */
function checkChunk(k: number, count: number, name: string, { length }: Uint8Array): void {
  const expected = k === 0 ? "IHDR" : k === count - 1 ? "IEND" : "IDAT";
  if (name !== expected) {
    throw new NotCanonical(`chunk ${k + 1} is ${quoted(name)}, not ${expected}`);
  }
  const bytes = { IHDR: 13, IEND: 0, IDAT: length }[expected];
  if (length !== bytes) {
    throw new NotCanonical(`its ${name} has ${counted(length, "byte")}, not ${bytes}`);
  }
}

function checkHeader(body: Uint8Array, size: { width: number; height: number }): void {
  const view = viewOf(body);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  if (width !== size.width || height !== size.height) {
    throw new NotCanonical(`it is ${width}x${height}, not ${size.width}x${size.height}`);
  }
  const [depth, colour, compression, filter, interlace] = body.subarray(8);
  if (depth !== 8 || colour !== 2 && colour !== 6) {
    throw new NotCanonical(`it has ${depth} bits and colour type ${colour}, not 8 and 2 or 6`);
  }
  if (compression !== 0 || filter !== 0 || interlace !== 0) {
    const found = `compression ${compression}, filter ${filter}, interlacing ${interlace}`;
    throw new NotCanonical(`it has ${found}, not 0, 0, 0`);
  }
}

/** A name may be any four bytes. */
function quoted(name: string): string {
  return JSON.stringify(name);
}
