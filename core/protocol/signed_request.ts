import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import { MAX_ADDRESS } from "./decode_message.ts";
import { decodeSs58, type Signer, verifySr25519 } from "../keys/mod.ts";

/** Epistula's headers, version 2. */
const HEADERS = {
  version: "epistula-version",
  timestamp: "epistula-timestamp",
  uuid: "epistula-uuid",
  signedBy: "epistula-signed-by",
  signedFor: "epistula-signed-for",
  signature: "epistula-request-signature",
} as const;

const VERSION = "2";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SIGNATURE = /^0x[0-9a-f]{128}$/;

/** Milliseconds that a request may be old, and that a clock may be ahead of ours. */
export const MAX_REQUEST_AGE = 8000;
export const MAX_CLOCK_LEAD = 2000;

/** SHA-256 of a body, in lower-case hex. */
type BodyHash = (body: Uint8Array) => string;

/** In script, which takes half a second of a body of 32 MiB: servers give their own. */
const ownHash: BodyHash = (body) => bytesToHex(sha256(body));

/** What a request is signed over. */
export interface RequestToSign {
  /** As it is sent; empty for a GET. */
  readonly body: Uint8Array;
  /** SS58 of the one it is for. */
  readonly signedFor: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Version 4, never used before. */
  readonly uuid: string;
}

/** A request's headers, checked in all but the signature. */
export interface SignedHeaders {
  /** SS58. */
  readonly signedBy: string;
  readonly signedFor: string;
  readonly timestamp: number;
  readonly uuid: string;
  readonly signature: string;
}

/**
 * Headers that sign a request in Epistula's version 2: sr25519 over
 * `sha256hex(body).uuid.timestamp.signedFor`.
 */
export async function signedHeaders(
  request: RequestToSign,
  hotkey: { readonly address: string; readonly sign: Signer },
  hashOf = ownHash,
): Promise<Record<string, string>> {
  const { body, signedFor, now, uuid } = request;
  const timestamp = String(now);
  const signature = await hotkey.sign(messageOf(hashOf(body), { uuid, timestamp, signedFor }));
  return {
    [HEADERS.version]: VERSION,
    [HEADERS.timestamp]: timestamp,
    [HEADERS.uuid]: uuid,
    [HEADERS.signedBy]: hotkey.address,
    [HEADERS.signedFor]: signedFor,
    [HEADERS.signature]: `0x${bytesToHex(signature)}`,
  };
}

/**
 * Reads the headers, before any cryptography and before the body.
 * @param self SS58 of the reader: a request for another is refused.
 * @throws AppError `request_unsigned` naming the header, `request_stale` with the skew.
 */
export function readSignedHeaders(headers: Headers, self: string, now: number): SignedHeaders {
  const read = (name: keyof typeof HEADERS, holds: (value: string) => boolean) => {
    const value = headers.get(HEADERS[name]);
    // A header that is there twice comes joined by a comma, which none of them may hold.
    if (value !== null && value.length <= 200 && holds(value)) return value;
    throw unsigned(HEADERS[name], value);
  };
  read("version", (value) => value === VERSION);
  const signedFor = read("signedFor", (value) => value === self);
  const uuid = read("uuid", (value) => UUID.test(value));
  const signature = read("signature", (value) => SIGNATURE.test(value));
  const signedBy = read(
    "signedBy",
    (value) => value.length <= MAX_ADDRESS && /^[1-9A-HJ-NP-Za-km-z]+$/.test(value),
  );
  const timestamp = Number(read("timestamp", (value) => /^[0-9]{1,15}$/.test(value)));
  checkRequestTime({ timestamp }, now);
  return { signedBy, signedFor, timestamp, uuid, signature };
}

/**
 * A request's time, to be checked again when its body is here.
 * @throws AppError `request_stale` with the skew.
 */
export function checkRequestTime(
  { timestamp }: Pick<SignedHeaders, "timestamp">,
  now: number,
): void {
  const age = now - timestamp;
  if (age <= MAX_REQUEST_AGE && age >= -MAX_CLOCK_LEAD) return;
  const skew = (Math.abs(age) / 1000).toFixed(1);
  throw new AppError(
    "request_stale",
    `Cannot take the request: its timestamp is ${skew} s ${age > 0 ? "behind" : "ahead of"} this ` +
      `clock (${MAX_REQUEST_AGE / 1000} s behind and ${
        MAX_CLOCK_LEAD / 1000
      } s ahead are taken); ` +
      "set the clocks by NTP",
  );
}

/**
 * The signature over headers and body.
 * @throws AppError `signature_invalid`.
 */
export function checkSignedBody(
  headers: SignedHeaders,
  body: Uint8Array,
  hashOf = ownHash,
): void {
  const { uuid, signedFor, signedBy, signature } = headers;
  const timestamp = String(headers.timestamp);
  const message = messageOf(hashOf(body), { uuid, timestamp, signedFor });
  if (isSigned(message, signature, signedBy)) return;
  throw new AppError(
    "signature_invalid",
    `Cannot take the request: its signature is not that of ${signedBy} over this body`,
  );
}

function isSigned(message: Uint8Array, signature: string, address: string): boolean {
  try {
    return verifySr25519(message, hexToBytes(signature.slice(2)), decodeSs58(address));
  } catch (error) {
    if (error instanceof AppError && error.code === "address_invalid") return false;
    throw error;
  }
}

function messageOf(
  hash: string,
  of: { readonly uuid: string; readonly timestamp: string; readonly signedFor: string },
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${hash}.${of.uuid}.${of.timestamp}.${of.signedFor}`);
}

function unsigned(header: string, value: string | null): AppError {
  const what = value === null
    ? "missing"
    : `${JSON.stringify(value.slice(0, 80))}, which it must not be`;
  return new AppError(
    "request_unsigned",
    `Cannot take the request: the header ${header} is ${what}`,
  );
}
