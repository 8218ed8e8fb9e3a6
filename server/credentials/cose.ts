/**
 * One signature as CBOR Object Signing has it, in the shape that C2PA asks for.
 * @see RFC 9052, section 4.2 (COSE_Sign1); C2PA 2.1, section 13.2
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { counted } from "../../core/counted.ts";

/** CBOR's kinds of values, as far as they are written here. */
type Cbor = number | string | Uint8Array | null | readonly Cbor[] | CborMap | Tagged;
type CborMap = ReadonlyMap<number | string, Cbor>;
interface Tagged {
  readonly tag: number;
  readonly value: Cbor;
}

const COSE_SIGN1 = 18;
/** Labels of headers, and the algorithm ES256. */
const [ALGORITHM, X5CHAIN, ES256] = [1, 33, -7];

/** Makes an ECDSA signature by P-256 and SHA-256, r and s of 32 bytes each. */
export type Sign = (bytes: Uint8Array) => Uint8Array;

/**
 * @param chain of DER certificates, the signer's first.
 * @param size bytes that it must have, for which room was left in the file.
 * @throws Error where that is too few.
 */
export function coseSign1(
  claim: Uint8Array,
  chain: readonly Uint8Array[],
  sign: Sign,
  size: number,
): Uint8Array<ArrayBuffer> {
  const headers = new Map<number, Cbor>([
    [ALGORITHM, ES256],
    [X5CHAIN, chain.length === 1 ? chain[0] : chain],
  ]);
  const kept = encodeCbor(headers);
  const signature = sign(encodeCbor(["Signature1", kept, new Uint8Array(), claim]));
  const padded = (pad: number) =>
    encodeCbor({
      tag: COSE_SIGN1,
      value: [kept, new Map([["pad", new Uint8Array(pad)]]), null, signature],
    });
  // Above 255 bytes the length of the padding takes as many bytes, whatever it is.
  const least = 256;
  const pad = least + size - padded(least).length;
  if (pad < least) throw new Error(`the certificates need more than ${counted(size, "byte")}`);
  return padded(pad);
}

/** @see RFC 8949 */
function encodeCbor(value: Cbor): Uint8Array<ArrayBuffer> {
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return joined(head(3, bytes.length), bytes);
  }
  if (value instanceof Uint8Array) return joined(head(2, value.length), value);
  if (value instanceof Map) {
    const entries = [...value].flatMap(([key, each]) => [encodeCbor(key), encodeCbor(each)]);
    return joined(head(5, value.size), ...entries);
  }
  if ("tag" in value) return joined(head(6, value.tag), encodeCbor(value.value));
  const items = value as readonly Cbor[];
  return joined(head(4, items.length), ...items.map(encodeCbor));
}

/** A kind, and its number or length. */
function head(kind: number, count: number): Uint8Array<ArrayBuffer> {
  const major = kind << 5;
  if (count < 24) return Uint8Array.of(major | count);
  if (count < 0x100) return Uint8Array.of(major | 24, count);
  if (count < 0x10000) return Uint8Array.of(major | 25, count >> 8, count & 255);
  return Uint8Array.of(
    major | 26,
    count >>> 24,
    count >>> 16 & 255,
    count >>> 8 & 255,
    count & 255,
  );
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(concatBytes(...parts));
}
