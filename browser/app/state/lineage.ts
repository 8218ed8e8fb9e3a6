import type { OfferedReceipt } from "../api/mod.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { galleryImage, keptReceipt, receiptOfImage, type StoredReceipt } from "../storage/mod.ts";

/** Receipts that are followed back: nobody goes on from an image more often. */
const MAX_LINEAGE = 20;

/**
 * The receipt that another goes on from: of those that were opened or made here, or that are offered.
 * @returns undefined where it is not known, or there is none.
 */
export async function parentOf(
  { receipt: { request: { parent } } }: Pick<StoredReceipt, "receipt">,
  offered: readonly OfferedReceipt[],
): Promise<StoredReceipt | undefined> {
  if (parent === undefined) return undefined;
  const known = await keptReceipt(parent).catch(() => undefined);
  if (known) return known;
  const made = await galleryImage(parent).catch(() => undefined);
  if (made) return receiptOfImage(made);
  const found = offered.find(({ link }) => link.id === parent);
  return found && { id: receiptId(found.receipt), ...found, at: 0 };
}

/** What an image goes back to, the nearest first: the known ones, and the id that leads to no more. */
export interface Lineage {
  readonly known: readonly StoredReceipt[];
  /** Of a receipt that is not known here. */
  readonly unknown?: string;
}

export async function lineageOf(
  stored: StoredReceipt,
  offered: readonly OfferedReceipt[],
): Promise<Lineage> {
  const known: StoredReceipt[] = [];
  let at = stored;
  while (known.length < MAX_LINEAGE) {
    const parent = await parentOf(at, offered);
    if (!parent) {
      const unknown = at.receipt.request.parent;
      return unknown === undefined ? { known } : { known, unknown };
    }
    known.push(parent);
    at = parent;
  }
  return { known };
}
