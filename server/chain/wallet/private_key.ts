import type { KeyringPair } from "@polkadot/keyring/types";
import type { Keyring } from "@polkadot/keyring";
import { hexToU8a, isHex, u8aEq, u8aToHex } from "@polkadot/util";
import { getPublicKey } from "@scure/sr25519";
import { invalid, type Keyfile } from "./keyfile.ts";

const SECRET_BYTES = 64;
const COFACTOR_BITS = 3n;

/**
 * The pair of a bare sr25519 secret, scalar and nonce. Two ways to write the scalar are in use,
 * schnorrkel's own and Ed25519's (8 times as large): the file's public key shows which it is.
 * @throws AppError `wallet_invalid`.
 */
export function pairOfPrivateKey(keyring: Keyring, file: Keyfile, path: string): KeyringPair {
  const { privateKey = "", publicKey = file.accountId ?? "" } = file;
  if (!isHex(privateKey, 8 * SECRET_BYTES)) {
    throw invalid(path, `its private key is not ${SECRET_BYTES} bytes in hexadecimal`);
  }
  if (!isHex(publicKey)) throw invalid(path, "it has a private key, and no public key with it");
  const secret = hexToU8a(privateKey);
  const secretKey = [secret, timesCofactor(secret)]
    .find((each) => u8aEq(publicOf(each), hexToU8a(publicKey)));
  if (!secretKey) throw invalid(path, `its private key is not that of ${publicKey}`);
  return keyring.addFromPair({ publicKey: hexToU8a(publicKey), secretKey });
}

/** Empty for a secret that has none. */
function publicOf(secret: Uint8Array): Uint8Array {
  try {
    return getPublicKey(secret);
  } catch {
    return new Uint8Array();
  }
}

/** Schnorrkel's scalar, little-endian, as Ed25519's: polkadot takes that one alone. */
function timesCofactor(secret: Uint8Array): Uint8Array {
  const scalar = BigInt(u8aToHex(secret.slice(0, 32).reverse()));
  const shifted = BigInt.asUintN(256, scalar << COFACTOR_BITS);
  const bytes = Uint8Array.fromHex(shifted.toString(16).padStart(64, "0")).reverse();
  return Uint8Array.from([...bytes, ...secret.subarray(32)]);
}
