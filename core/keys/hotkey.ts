import { hexToBytes } from "@noble/hashes/utils.js";
import { getPublicKey, secretFromSeed, sign } from "@scure/sr25519";
import { AppError } from "../error.ts";
import { encodeSs58 } from "./ss58.ts";
import type { Signer } from "./sr25519.ts";

/** What signs receipts. */
export interface Hotkey {
  /** SS58. */
  readonly address: string;
  readonly sign: Signer;
  /** Made for this run and forgotten with it. */
  readonly fresh: boolean;
}

/**
 * @param seed 32 bytes in hex, of an sr25519 key; without one a key is made.
 * @throws AppError `invalid_request` when it is no seed. It is not repeated: it is a secret.
 */
export function openHotkey(seed: string | undefined): Hotkey {
  if (seed !== undefined && !/^(0x)?[0-9a-fA-F]{64}$/.test(seed)) {
    throw new AppError(
      "invalid_request",
      "Cannot sign: the signing seed is not 64 hexadecimal digits",
    );
  }
  const secret = secretFromSeed(
    seed === undefined
      ? crypto.getRandomValues(new Uint8Array(32))
      : hexToBytes(seed.replace(/^0x/, "")),
  );
  return {
    address: encodeSs58(getPublicKey(secret)),
    sign: (message) => Promise.resolve(sign(secret, message)),
    fresh: seed === undefined,
  };
}
