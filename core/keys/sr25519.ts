import { verify } from "@scure/sr25519";

/** sr25519 with a hotkey held elsewhere. @returns 64 bytes. */
export type Signer = (message: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/**
 * sr25519 over the bytes as they are; 1 to 5 ms. False also for what is no key or signature: the
 * library throws at those, which untrusted peers may send.
 */
export function verifySr25519(
  message: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  try {
    return verify(message, signature, publicKey);
  } catch {
    return false;
  }
}
