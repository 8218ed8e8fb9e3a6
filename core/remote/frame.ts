import { counted } from "../counted.ts";
import { concatBytes } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";

/** A message with the bytes that belong to it. */
export interface Frame {
  readonly message: unknown;
  readonly payload: Uint8Array<ArrayBuffer>;
}

const LENGTH_BYTES = 4;

/** Deno's WebSocket ends with an error on a message of more than 64 MiB. */
const MAX_BYTES = 32 * 2 ** 20;

/**
 * A message as one or more binary WebSocket messages. Each is the header's length (u32,
 * little-endian), the header as JSON, and bytes of the payload; all but the last have no header.
 * @param parts the payload, put together.
 */
export function encodeFrames(
  message: object,
  parts: readonly ArrayBufferView[] = [],
  maxBytes = MAX_BYTES,
): Uint8Array<ArrayBuffer>[] {
  const header = new TextEncoder().encode(JSON.stringify(message));
  const payload = concatBytes(
    ...parts.map(({ buffer, byteOffset, byteLength }) =>
      new Uint8Array(buffer, byteOffset, byteLength)
    ),
  );
  const frames: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  for (; payload.length - start > maxBytes; start += maxBytes) {
    frames.push(frame(new Uint8Array(), payload.subarray(start, start + maxBytes)));
  }
  return [...frames, frame(header, payload.subarray(start))];
}

function frame(header: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, header.length, true);
  return concatBytes(length, header, payload);
}

/** Puts the frames of one socket together again. */
export class FrameReader {
  #pieces: Uint8Array[] = [];

  /**
   * @returns undefined while more is to come. The payload starts at offset 0 of its buffer, so that
   * any typed array fits it.
   * @throws AppError `shape_mismatch` when the bytes are no frame.
   */
  take(bytes: ArrayBuffer): Frame | undefined {
    const length = bytes.byteLength < LENGTH_BYTES ? NaN : new DataView(bytes).getUint32(0, true);
    const end = LENGTH_BYTES + length;
    if (!(end <= bytes.byteLength)) {
      throw new AppError(
        "shape_mismatch",
        `Cannot read a frame: its header is ${counted(length, "byte")} of ${bytes.byteLength}`,
      );
    }
    this.#pieces.push(new Uint8Array(bytes, end));
    if (length === 0) return undefined;
    const header = new TextDecoder().decode(new Uint8Array(bytes, LENGTH_BYTES, length));
    return { message: JSON.parse(header), payload: concatBytes(...this.#pieces.splice(0)) };
  }
}
