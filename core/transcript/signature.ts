import { verify } from "@scure/sr25519";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import { checkUnsigned, type Receipt, receiptMessage, type UnsignedReceipt } from "./receipt.ts";
import { decodeSs58 } from "./ss58.ts";

/** sr25519 with a hotkey that somebody else holds. @returns 64 bytes. */
export type Signer = (message: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

/**
 * @param sign with the hotkey named as `miner`.
 * @throws AppError `receipt_invalid` when the statement is not one, `signature_invalid` when what
 * the signer returns is no signature of it.
 */
export async function signReceipt(statement: UnsignedReceipt, sign: Signer): Promise<Receipt> {
  const unsigned = checkUnsigned(statement);
  const signature = await sign(receiptMessage(unsigned));
  const receipt = { ...unsigned, signature: bytesToHex(signature) };
  checkSignature(receipt);
  return receipt;
}

/** @throws AppError `signature_invalid` unless the miner's hotkey signed exactly this receipt. */
export function checkSignature(receipt: Receipt): void {
  const key = decodeSs58(receipt.miner);
  if (!verifySr25519(receiptMessage(receipt), hexToBytes(receipt.signature), key)) {
    throw new AppError(
      "signature_invalid",
      `Cannot trust the receipt: its signature is not that of ${receipt.miner}`,
    );
  }
}

/**
 * sr25519 over the bytes as they are; 1 to 5 ms. False also for what is no key or signature, at
 * which the library throws: strangers send such.
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
