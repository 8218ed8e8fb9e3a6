import { counted } from "../../../core/counted.ts";
import { gcm } from "@noble/ciphers/aes.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { AppError } from "../../../core/error.ts";

/** BLS12-381 with signatures in G1 and the beacon's key in G2, as drand's quicknet has it. */
const DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
const G2_BYTES = 96;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const CIPHER = new TextEncoder().encode("AES_GCM_");
const ORDER = bls12_381.fields.Fr.ORDER;

type Fp12 = ReturnType<typeof bls12_381.pairing>;

/** Random bytes that an encryption uses up. */
export interface Entropy {
  readonly key: Uint8Array;
  readonly sigma: Uint8Array;
  readonly nonce: Uint8Array;
}

function freshEntropy(): Entropy {
  const bytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  return { key: bytes(KEY_BYTES), sigma: bytes(KEY_BYTES), nonce: bytes(NONCE_BYTES) };
}

/**
 * Encrypts to a beacon's round: readable with that round's signature, by nobody before.
 * @param publicKey compressed G2, 96 bytes.
 * @returns U | V | W | body | cipher's name, as arkworks serialises the runtime's `TLECiphertext`:
 * every vector has its length before it as u64, little-endian.
 * @see https://eprint.iacr.org/2023/189 (tlock)
 */
export function encryptToRound(
  message: Uint8Array,
  publicKey: Uint8Array,
  round: bigint,
  { key, sigma, nonce }: Entropy = freshEntropy(),
): Uint8Array {
  const r = blind(sigma, key);
  const shared = bls12_381.pairing(
    identityOf(round),
    bls12_381.G2.Point.fromBytes(publicKey).multiply(r),
  );
  const body = gcm(key, nonce).encrypt(message);
  return concatBytes(
    bls12_381.G2.Point.BASE.multiply(r).toBytes(),
    vector(xor(sigma, sha256(gtBytes(shared)))),
    vector(xor(key, sha256(sigma))),
    vector(concatBytes(vector(body), vector(nonce))),
    vector(CIPHER),
  );
}

/**
 * @param signature of the round, compressed G1, 48 bytes.
 * @throws AppError `commit_invalid` when it is no such ciphertext, or one for another round.
 */
export function decryptWithSignature(ciphertext: Uint8Array, signature: Uint8Array): Uint8Array {
  try {
    return decrypt(ciphertext, signature);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw invalid("it is not one for this round", cause);
  }
}

function decrypt(ciphertext: Uint8Array, signature: Uint8Array): Uint8Array {
  const reader = new VectorReader(ciphertext);
  const u = bls12_381.G2.Point.fromBytes(reader.take(G2_BYTES));
  const [v, w, inner] = [reader.vector(), reader.vector(), reader.vector()];
  const body = new VectorReader(inner);
  const [sealed, nonce] = [body.vector(), body.vector()];
  const shared = bls12_381.pairing(bls12_381.G1.Point.fromBytes(signature), u);
  const sigma = xor(v, sha256(gtBytes(shared)));
  const key = xor(w, sha256(sigma));
  if (!bls12_381.G2.Point.BASE.multiply(blind(sigma, key)).equals(u)) {
    throw invalid("its commitment does not hold");
  }
  return gcm(key, nonce).decrypt(sealed);
}

/** What a beacon signs for a round: the round's hash, on the curve. */
export function identityOf(round: bigint): ReturnType<typeof bls12_381.G1.hashToCurve> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, round);
  return bls12_381.G1.hashToCurve(sha256(bytes), { DST: DOMAIN });
}

/** sha256(sigma | key) as a big-endian scalar. */
function blind(sigma: Uint8Array, key: Uint8Array): bigint {
  return BigInt(`0x${sha256(concatBytes(sigma, key)).toHex()}`) % ORDER;
}

/** Fp12 as c0, c1 of Fp6 as c0, c1, c2 of Fp2 as c0, c1 of Fp: 12 x 48 bytes, little-endian. */
function gtBytes({ c0, c1 }: Fp12): Uint8Array {
  const coordinates = [c0, c1].flatMap((six) => [six.c0, six.c1, six.c2])
    .flatMap((two) => [two.c0, two.c1]);
  return concatBytes(...coordinates.map((value) => littleEndian(value, 48)));
}

function littleEndian(value: bigint, length: number): Uint8Array {
  return Uint8Array.fromHex(value.toString(16).padStart(2 * length, "0")).reverse();
}

function vector(bytes: Uint8Array): Uint8Array {
  return concatBytes(littleEndian(BigInt(bytes.length), 8), bytes);
}

class VectorReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      throw invalid(`it ends after ${counted(this.#bytes.length, "byte")}`);
    }
    const part = this.#bytes.slice(this.#at, end);
    this.#at = end;
    return part;
  }

  vector(): Uint8Array {
    const head = this.take(8);
    const length = new DataView(head.buffer).getBigUint64(0, true);
    return this.take(length > 2n ** 31n ? Infinity : Number(length));
  }
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]);
}

function invalid(why: string, cause?: unknown): AppError {
  return new AppError("commit_invalid", `Cannot open the timelocked commit: ${why}`, { cause });
}
