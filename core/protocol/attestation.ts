import { z } from "zod";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import { REQUEST_LIMITS } from "../request_limits.ts";
import { canonicalJson } from "../transcript/mod.ts";
import { decodeSs58, isSs58, verifySr25519 } from "../keys/mod.ts";
import { addressText, decodeMessage } from "./decode_message.ts";

const attestation = z.strictObject({
  version: z.literal(1),
  /** `receiptId`. */
  receipt: z.string().regex(/^[0-9a-f]{64}$/),
  verdict: z.enum(["honest", "suspect", "invalid"]),
  level: z.int().min(0).max(3),
  /** Steps that were opened. */
  steps: z.array(z.int().min(0).max(REQUEST_LIMITS.steps - 1)).max(REQUEST_LIMITS.steps),
  similarity: z.number().min(-1).max(1).optional(),
  /** The largest velocity error over its tolerance. */
  worst: z.number().min(0).optional(),
  /** Milliseconds since 1970. */
  at: z.int().min(0),
  /** SS58 of the checker. */
  checker: addressText.refine(isSs58, "not an SS58 address"),
});

const signed = z.strictObject({
  attestation,
  /** sr25519 by the checker over {@link attestationMessage}, in lower-case hex. */
  signature: z.string().regex(/^0x[0-9a-f]{128}$/),
});

/** A checker's verdict on a receipt. */
export type Attestation = z.infer<typeof attestation>;

export type SignedAttestation = z.infer<typeof signed>;

/** First bytes of what is signed, so that no other signature of a key passes for one. */
const DOMAIN = "stepwise-attestation-v1\n";

/** What is signed: the domain and the canonical JSON, in UTF-8. */
export function attestationMessage(value: Attestation): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(DOMAIN + canonicalJson(value));
}

/**
 * Reads an attestation. Its signature is for {@link checkAttestation}.
 * @throws AppError `invalid_request` naming the field.
 */
export function decodeAttestation(json: unknown): SignedAttestation {
  return decodeMessage(signed, json, "take the attestation", "invalid_request");
}

/**
 * Wallet extensions sign what a page asks them to within `<Bytes>`.
 * @throws AppError `signature_invalid` unless the checker signed exactly this.
 */
export function checkAttestation({ attestation, signature }: SignedAttestation): void {
  const message = attestationMessage(attestation);
  const bytes = hexToBytes(signature.slice(2));
  const key = decodeSs58(attestation.checker);
  if ([message, wrapped(message)].some((each) => verifySr25519(each, bytes, key))) return;
  throw new AppError(
    "signature_invalid",
    `Cannot take the attestation: its signature is not that of ${attestation.checker}`,
  );
}

/** As extensions wrap what they sign for a page. */
function wrapped(message: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes("<Bytes>"), message, utf8ToBytes("</Bytes>"));
}

/** A signed attestation as JSON Schema. */
export function attestationSchema(): unknown {
  return z.toJSONSchema(signed);
}
