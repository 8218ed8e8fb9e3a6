import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";

/** Files that a request names, by the SHA-256 of their bytes in lower-case hex. */
export type InputFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** What a request is called with that names no files. */
export const NO_INPUTS: InputFiles = new Map();

/** The part of a call with files that holds the call itself, as JSON. */
export const CALL_PART = "request";

const JSON_TYPE = "application/json";
/** Of a call with files. */
export const MULTIPART_TYPE = "multipart/form-data";

/** Bytes of a call's files, all together: eight seconds, for which a signature holds, at 33 Mbit/s. */
export const MAX_INPUTS_BYTES = 32 * 2 ** 20;

/** A body as it is signed and sent. */
export interface CallBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of the header `content-type`. */
  readonly type: string;
}

/**
 * A call as a body: JSON alone where there are no files, or else `multipart/form-data`, in which each
 * file's part has its hash for a name.
 * @param boundary that no file has in it: new each time, as nobody can then have foreseen it.
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function callBody(
  call: unknown,
  inputs: InputFiles = NO_INPUTS,
  boundary = `stepwise-${bytesToHex(crypto.getRandomValues(new Uint8Array(16)))}`,
): CallBody {
  const json = new TextEncoder().encode(JSON.stringify(call));
  if (inputs.size === 0) return { bytes: json, type: JSON_TYPE };
  const parts = [
    part(boundary, `name="${CALL_PART}"`, JSON_TYPE, json),
    ...[...inputs].map(([sha256, file]) =>
      part(boundary, `name="${sha256}"; filename="${sha256}"`, "application/octet-stream", file)
    ),
  ].flat();
  return {
    bytes: concatBytes(...parts, text(`--${boundary}--\r\n`)),
    type: `${MULTIPART_TYPE}; boundary=${boundary}`,
  };
}

function part(boundary: string, names: string, type: string, body: Uint8Array): Uint8Array[] {
  const head = `--${boundary}\r\ncontent-disposition: form-data; ${names}\r\n` +
    `content-type: ${type}\r\n\r\n`;
  return [text(head), body, text("\r\n")];
}

function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}
