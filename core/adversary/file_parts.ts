import { crc32 } from "../image/mod.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export function text(characters: string): Bytes {
  return Uint8Array.from(characters, (each) => each.charCodeAt(0));
}

/** All parts, one behind the other. */
export function bytesOf(...parts: readonly (Uint8Array | readonly number[])[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A chunk of a PNG, with its right checksum. */
export function pngChunk(name: string, body: Uint8Array | readonly number[]): Bytes {
  const chunk = bytesOf([0, 0, 0, 0], text(name), body, [0, 0, 0, 0]);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length);
  view.setUint32(chunk.length - 4, crc32(chunk.subarray(4, -4)));
  return chunk;
}

/** A PNG whose one IDAT holds something else. */
export function withPngData(file: Bytes, change: (data: Bytes) => Bytes): Bytes {
  const data = file.slice(IDAT + 8, -IEND - 4);
  return bytesOf(file.slice(0, IDAT), pngChunk("IDAT", change(data)), file.slice(-IEND));
}

/** Where the first IDAT begins, in files as ours: behind the signature and IHDR. */
export const IDAT = 33;
/** Bytes of the last chunk. */
export const IEND = 12;
