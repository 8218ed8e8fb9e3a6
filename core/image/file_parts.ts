import { concatBytes } from "@noble/hashes/utils.js";
import { crc32 } from "./crc32.ts";
import { SIGNATURE } from "./decode_png.ts";
import { jpegHeader } from "./jpeg_header.ts";
import { viewOf } from "./not_canonical.ts";

/** PNG's chunks, JPEG's header segments and WebP's chunks, alike: what a file is put together of. */
export interface Part {
  /** `IDAT`, `EXIF`; of a JPEG its marker in hex: `e1`. */
  readonly name: string;
  readonly body: Uint8Array;
}

/** A file taken apart. */
export interface Parts {
  readonly parts: readonly Part[];
  /** What is behind them: a JPEG's scans. */
  readonly rest: Uint8Array;
}

/** @throws RangeError where it is cut short. */
export function pngParts(file: Uint8Array): Parts {
  const view = viewOf(file);
  const parts: Part[] = [];
  for (let at = SIGNATURE.length;;) {
    const end = at + 12 + view.getUint32(at);
    if (end > file.length) throw new RangeError("it is cut short");
    const name = nameAt(file, at + 4);
    parts.push({ name, body: file.subarray(at + 8, end - 4) });
    at = end;
    if (name === "IEND") return { parts, rest: file.subarray(at) };
  }
}

export function pngFile({ parts, rest }: Parts): Uint8Array<ArrayBuffer> {
  return joined([Uint8Array.from(SIGNATURE), ...parts.map(pngChunk), rest]);
}

function pngChunk({ name, body }: Part): Uint8Array {
  const chunk = new Uint8Array(12 + body.length);
  const view = viewOf(chunk);
  view.setUint32(0, body.length);
  chunk.set(bytesOf(name), 4);
  chunk.set(body, 8);
  view.setUint32(8 + body.length, crc32(chunk.subarray(4, 8 + body.length)));
  return chunk;
}

/** @throws RangeError where it is cut short. */
export function jpegParts(file: Uint8Array): Parts {
  const view = viewOf(file);
  const parts: Part[] = [];
  let end = 2;
  for (const { marker, at } of jpegHeader(view)) {
    end = at - 2 + view.getUint16(at - 2);
    parts.push({ name: marker.toString(16), body: file.subarray(at, end) });
  }
  return { parts, rest: file.subarray(end) };
}

export function jpegFile({ parts, rest }: Parts): Uint8Array<ArrayBuffer> {
  const segments = parts.map(({ name, body }) => {
    const segment = new Uint8Array(4 + body.length);
    const view = viewOf(segment);
    view.setUint16(0, 0xff00 | parseInt(name, 16));
    view.setUint16(2, 2 + body.length);
    segment.set(body, 4);
    return segment;
  });
  return joined([Uint8Array.of(0xff, 0xd8), ...segments, rest]);
}

/** @throws RangeError where it is cut short. */
export function webpParts(file: Uint8Array): Parts {
  const view = viewOf(file);
  const parts: Part[] = [];
  const size = 8 + view.getUint32(4, true);
  for (let at = 12; at < size;) {
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length;
    if (end > file.length) throw new RangeError("it is cut short");
    parts.push({ name: nameAt(file, at), body: file.subarray(at + 8, end) });
    at = end + length % 2;
  }
  return { parts, rest: file.subarray(Math.min(size, file.length)) };
}

export function webpFile({ parts, rest }: Parts): Uint8Array<ArrayBuffer> {
  const chunks = parts.map(({ name, body }) => {
    const chunk = new Uint8Array(8 + body.length + body.length % 2);
    chunk.set(bytesOf(name));
    viewOf(chunk).setUint32(4, body.length, true);
    chunk.set(body, 8);
    return chunk;
  });
  const head = new Uint8Array(12);
  head.set(bytesOf("RIFF"));
  head.set(bytesOf("WEBP"), 8);
  viewOf(head).setUint32(4, chunks.reduce((sum, { length }) => sum + length, 4), true);
  return joined([head, ...chunks, rest]);
}

function nameAt(file: Uint8Array, at: number): string {
  return String.fromCharCode(...file.subarray(at, at + 4));
}

function bytesOf(name: string): Uint8Array {
  return Uint8Array.from(name, (letter) => letter.charCodeAt(0));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(concatBytes(...pieces));
}
