import { AppError, reason } from "../../../core/error.ts";
import { readAtMost } from "../../../core/protocol/mod.ts";
import { MAX_RECEIPT_BYTES, receiptFromJson, receiptId } from "../../../core/transcript/mod.ts";
import { checkImage } from "../../../core/verification/mod.ts";
import { imageOfMiner, minerAddress } from "../../../core/verify/mod.ts";
import type { FetchedReceipt, ReceiptLink } from "../api.ts";

const TIMEOUT_MS = 20_000;
/** Larger images are not worth a phone's memory. */
const MOST_IMAGE_BYTES = 64 * 2 ** 20;

/**
 * The receipt of a link, and its image, which has to be the one that was signed for.
 * @throws AppError in words for the reader.
 */
export async function fetchReceipt({ miner, id, token }: ReceiptLink): Promise<FetchedReceipt> {
  const receipt = receiptFromJson(await fetchJson(new URL(`v1/generations/${id}`, miner), token));
  if (receiptId(receipt) !== id) {
    throw new AppError("receipt_mismatch", "Cannot open the link: the miner sent another receipt");
  }
  if (receipt.image.bytes > MOST_IMAGE_BYTES) {
    throw new AppError(
      "receipt_invalid",
      `Cannot open the link: its image has ${receipt.image.bytes} bytes`,
    );
  }
  const bytes = await imageOfMiner(minerAddress(miner, TIMEOUT_MS, token), receipt);
  checkImage({ receipt }, bytes);
  return { receipt, image: new Blob([bytes], { type: receipt.image.mediaType }) };
}

async function fetchJson(url: URL, token: string): Promise<unknown> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      ...{ redirect: "error", credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS) },
    });
    const type = response.headers.get("content-type") ?? "nothing";
    if (!/^application\/json\b/.test(type)) throw new Error(`it answered with ${type}, not JSON`);
    const bytes = await readAtMost(response, 2 * MAX_RECEIPT_BYTES);
    if (!bytes) throw new Error("its answer is too long");
    const json = JSON.parse(new TextDecoder().decode(bytes));
    if (!response.ok) throw new Error(`it answered ${response.status}: ${json.error?.message}`);
    return json.receipt;
  } catch (cause) {
    throw new AppError(
      "opening_withheld",
      `Cannot reach the miner at ${url.origin}: ${reason(cause)}`,
      { cause },
    );
  }
}
