import { counted } from "../../../core/counted.ts";
import { AppError } from "../../../core/error.ts";
import { MAX_RECEIPT_BYTES, receiptFromJson, receiptId } from "../../../core/transcript/mod.ts";
import { checkImage } from "../../../core/verifier/mod.ts";
import { addressOf, imageOfMiner, minerAddress, PATHS } from "../../../core/protocol/mod.ts";
import type { FetchedReceipt, ReceiptLink } from "../api/mod.ts";
import { fetchJson } from "./fetch_json.ts";

const TIMEOUT_MS = 20_000;
/** Larger images are not worth a phone's memory. */
const MAX_IMAGE_BYTES = 64 * 2 ** 20;

/**
 * The receipt of a link, and its image, which has to be the one that was signed for.
 * @throws AppError in words for the reader.
 */
export async function fetchReceipt({ miner, id, token }: ReceiptLink): Promise<FetchedReceipt> {
  const answer = await fetchJson({
    ...{ whom: "the miner", url: addressOf(miner, PATHS.generation, { id }) },
    init: { headers: { authorization: `Bearer ${token}` } },
    maxBytes: 2 * MAX_RECEIPT_BYTES,
    // A token that is no longer the receipt's is refused: the miner was restarted.
    goneStatuses: [403, 404, 410],
  });
  const receipt = receiptFromJson((answer as { readonly receipt?: unknown } | null)?.receipt);
  if (receiptId(receipt) !== id) {
    throw new AppError("receipt_mismatch", "Cannot open the link: the miner sent another receipt");
  }
  if (receipt.image.bytes > MAX_IMAGE_BYTES) {
    throw new AppError(
      "receipt_invalid",
      `Cannot open the link: its image has ${counted(receipt.image.bytes, "byte")}`,
    );
  }
  const bytes = await imageOfMiner(minerAddress(miner, TIMEOUT_MS, token), receipt);
  checkImage({ receipt }, bytes);
  return { receipt, image: new Blob([bytes], { type: receipt.image.mediaType }) };
}
