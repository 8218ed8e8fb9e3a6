import { AppError } from "../../core/error.ts";
import { counted } from "../../core/counted.ts";
import {
  CALL_PART,
  type InputFiles,
  MAX_INPUTS_BYTES,
  MULTIPART_TYPE,
  NO_INPUTS,
} from "../../core/protocol/mod.ts";
import { MAX_REQUEST_BYTES } from "../../core/request_limits.ts";
import { sha256Of } from "../storage/mod.ts";
import { readMultipart } from "./multipart.ts";
import { parseJson } from "./parse_json.ts";

/** A call, and the files that came with it. */
export interface ReadCall {
  readonly json: unknown;
  readonly inputs: InputFiles;
}

/** Files of one call: more than any request names. */
const MAX_FILES = 32;
const SHA256 = /^[0-9a-f]{64}$/;

/** Bytes that a call's body may have: with files, by its media type, more than JSON alone. */
export function maxCallBytes(request: Request): number {
  return MAX_REQUEST_BYTES + (isMultipart(contentTypeOf(request)) ? MAX_INPUTS_BYTES : 0);
}

/**
 * A call as `callBody` writes it. The files are what their names say, and nothing else is known of them.
 * @throws AppError `json_invalid`; `invalid_request` for no form, and for a file whose hash is another.
 */
export function readCall(request: Request, body: Uint8Array<ArrayBuffer>): ReadCall {
  const type = contentTypeOf(request);
  if (!isMultipart(type)) return { json: parseJson(body), inputs: NO_INPUTS };
  const [call, ...files] = readMultipart(type, body, 1 + MAX_FILES);
  if (call?.name !== CALL_PART) refuse(`its first part is not ${CALL_PART}, the call in JSON`);
  if (call.bytes.length > MAX_REQUEST_BYTES) {
    refuse(
      `its part ${CALL_PART} has ${counted(call.bytes.length, "byte")}, at most ` +
        `${MAX_REQUEST_BYTES} are read`,
    );
  }
  const inputs = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { name, bytes } of files) {
    if (!SHA256.test(name)) refuse(`a part's name is not the SHA-256 of a file`);
    if (inputs.has(name)) refuse(`the file ${name} is there twice`);
    const sha256 = sha256Of(bytes);
    if (sha256 !== name) refuse(`the file that is named ${name} has the hash ${sha256}`);
    inputs.set(name, bytes);
  }
  return { json: parseJson(call.bytes), inputs };
}

function contentTypeOf({ headers }: Request): string {
  return headers.get("content-type") ?? "";
}

function isMultipart(type: string): boolean {
  return type.toLowerCase().startsWith(MULTIPART_TYPE);
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot take the request: ${why}`);
}
