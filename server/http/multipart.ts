import { Buffer } from "node:buffer";
import { AppError } from "../../core/error.ts";

/** A part of a form. */
export interface Part {
  readonly name: string;
  /** Of a file. */
  readonly filename?: string;
  /** Its media type, where it says one. */
  readonly type?: string;
  /** Of the body that it came in: nothing is copied. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Of one part. */
const MAX_HEAD_BYTES = 4096;
const MAX_BOUNDARY = 70;
const LINE = Buffer.from("\r\n");
const BLANK = Buffer.from("\r\n\r\n");

/**
 * The parts of a `multipart/form-data` body, in their order.
 * @param contentType the header, with the boundary.
 * @param max parts; more are refused before they are read.
 * @throws AppError `invalid_request` for a body that is none, or cut short.
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function readMultipart(
  contentType: string,
  body: Uint8Array<ArrayBuffer>,
  max: number,
): Part[] {
  const boundary = boundaryOf(contentType);
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: Part[] = [];
  let at = startOf(bytes, delimiter);
  while (!startsWith(bytes, at, "--")) {
    if (!startsWith(bytes, at, "\r\n")) refuse("a boundary is not at the end of its line");
    if (parts.length >= max) refuse(`it has more than ${max} parts`);
    // An empty head is a line break alone, which is the boundary's own.
    const headEnd = bytes.indexOf(BLANK, at);
    const end = bytes.indexOf(delimiter, headEnd < 0 ? bytes.length : headEnd + LINE.length);
    if (headEnd < 0 || end < 0) refuse("it is cut short");
    const head = bytes.subarray(at + LINE.length, headEnd);
    if (head.length > MAX_HEAD_BYTES) refuse(`a part's head has more than ${MAX_HEAD_BYTES} bytes`);
    parts.push({ ...headOf(head), bytes: body.subarray(headEnd + BLANK.length, end) });
    at = end + delimiter.length;
  }
  return parts;
}

/** Behind the first boundary, before which there may be a preamble. */
function startOf(bytes: Buffer, delimiter: Buffer): number {
  const first = delimiter.subarray(LINE.length);
  if (bytes.subarray(0, first.length).equals(first)) return first.length;
  const at = bytes.indexOf(delimiter);
  return at < 0 ? refuse("its boundary is not in it") : at + delimiter.length;
}

function startsWith(bytes: Buffer, at: number, text: string): boolean {
  return bytes.toString("latin1", at, at + text.length) === text;
}

function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined || boundary.length > MAX_BOUNDARY) {
    return refuse(`its content-type names no boundary of at most ${MAX_BOUNDARY} characters`);
  }
  return boundary;
}

function headOf(bytes: Buffer): Omit<Part, "bytes"> {
  const fields = new Map(
    bytes.toString("utf8").split("\r\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const disposition = fields.get("content-disposition") ?? "";
  const named = (field: string) =>
    new RegExp(`;\\s*${field}="([^"]*)"`, "i").exec(disposition)?.[1] ??
      new RegExp(`;\\s*${field}=([^\\s;"]+)`, "i").exec(disposition)?.[1];
  const name = named("name");
  if (!/^form-data\b/i.test(disposition) || name === undefined) refuse("a part has no name");
  const [filename, type] = [named("filename"), fields.get("content-type")];
  return { name, ...(filename !== undefined && { filename }), ...(type && { type }) };
}

function refuse(why: string): never {
  throw new AppError(
    "invalid_request",
    `Cannot take the request: its body is no multipart/form-data, ${why}`,
  );
}
