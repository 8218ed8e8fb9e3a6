import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../error.ts";
import { checkUnsigned, type Receipt, receiptMessage, type UnsignedReceipt } from "./receipt.ts";
import { decodeSs58, type Signer, verifySr25519 } from "../keys/mod.ts";

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
