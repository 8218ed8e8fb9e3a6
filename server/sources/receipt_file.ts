import { AppError } from "../../core/error.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { MAX_RECEIPT_BYTES, type Receipt, receiptFromJson } from "../../core/transcript/mod.ts";
import { readAtMost } from "../storage/mod.ts";

/**
 * A receipt of a file, in whatever spelling of JSON: what is signed is its canonical one, which is written
 * again. Its signature is not looked at.
 * @throws AppError `storage_failed`, `receipt_invalid`.
 */
export async function readReceipt(path: string): Promise<Receipt> {
  return receiptFromJson(await readJsonFile(path));
}

/** @throws AppError `storage_failed`; `receipt_invalid` for anything but JSON in UTF-8. */
export async function readJsonFile(path: string): Promise<unknown> {
  const bytes = await readAtMost(path, MAX_RECEIPT_BYTES);
  try {
    return parseJsonText(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const why = `Cannot read the receipt ${path}: it is not JSON in UTF-8`;
    throw new AppError("receipt_invalid", why, { cause });
  }
}
