import { counted } from "../counted.ts";
import { blake2b } from "@noble/hashes/blake2.js";
import { AppError } from "../error.ts";

/** SS58 addresses of 32-byte keys, as Bittensor writes its hotkeys. @see https://docs.polkadot.com/reference/parachains/accounts/ */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{46,49}$/;
/** Bittensor's, and Substrate's generic one. */
const PREFIX = 42;
const KEY_BYTES = 32;
const BYTES = 1 + KEY_BYTES + 2;

/** @param publicKey 32 bytes. */
export function encodeSs58(publicKey: Uint8Array): string {
  if (publicKey.length !== KEY_BYTES) {
    throw new AppError(
      "address_invalid",
      `Cannot write an address: the key has ${counted(publicKey.length, "byte")}, not ${KEY_BYTES}`,
    );
  }
  const body = Uint8Array.of(PREFIX, ...publicKey);
  return base58(Uint8Array.of(...body, ...checksum(body)));
}

/**
 * The public key of an address, in the one way to write it.
 * @throws AppError `address_invalid` when it is no SS58 address with prefix 42 and a right checksum.
 */
export function decodeSs58(address: string): Uint8Array {
  const bytes = ADDRESS.test(address) ? fromBase58(address) : undefined;
  const key = bytes?.subarray(1, 1 + KEY_BYTES);
  if (!key || encodeSs58(key) !== address) {
    const shown = address.length > 60 ? `${address.slice(0, 57)}...` : address;
    throw new AppError(
      "address_invalid",
      `Cannot read an address: ${JSON.stringify(shown)} is no SS58 address with prefix ${PREFIX}`,
    );
  }
  return key;
}

/** Whether it is an address that {@link decodeSs58} reads. */
export function isSs58(address: string): boolean {
  try {
    return decodeSs58(address).length > 0;
  } catch {
    return false;
  }
}

function checksum(body: Uint8Array): Uint8Array {
  const salted = Uint8Array.of(...new TextEncoder().encode("SS58PRE"), ...body);
  return blake2b(salted, { dkLen: 64 }).subarray(0, 2);
}

/** The prefix is not zero, so leading zeros, which base 58 writes apart, cannot occur. */
function base58(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = "";
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
  return text;
}

function fromBase58(text: string): Uint8Array | undefined {
  let number = 0n;
  for (const letter of text) number = number * 58n + BigInt(ALPHABET.indexOf(letter));
  if (number >> BigInt(8 * BYTES)) return undefined;
  const bytes = new Uint8Array(BYTES);
  for (let i = BYTES - 1; i >= 0; i--, number >>= 8n) bytes[i] = Number(number & 0xffn);
  return bytes;
}
