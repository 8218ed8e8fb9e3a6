import { openDatabase, type StoredReceipt, type StoredVerdict } from "./database.ts";

/** Receipts that are kept; the oldest go first. */
const KEPT = 200;

/**
 * Keeps a receipt. A full disk makes room by forgetting the oldest.
 * @returns false when there is no room at all.
 */
export async function keepReceipt(stored: StoredReceipt): Promise<boolean> {
  const database = await openDatabase();
  try {
    await database.put("receipts", stored);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
    await forgetOldest(KEPT / 2);
    try {
      await database.put("receipts", { ...stored, image: undefined });
    } catch {
      return false;
    }
  }
  await forgetOldest(KEPT);
  return true;
}

/** @returns false when there is no room. */
export async function keepVerdict(stored: StoredVerdict): Promise<boolean> {
  const database = await openDatabase();
  return await database.put("verdicts", stored).then(() => true, () => false);
}

/** The newest first. */
export async function keptReceipts(): Promise<StoredReceipt[]> {
  return (await (await openDatabase()).getAllFromIndex("receipts", "at")).reverse();
}

export async function keptVerdicts(): Promise<StoredVerdict[]> {
  return await (await openDatabase()).getAll("verdicts");
}

export async function keptReceipt(id: string): Promise<StoredReceipt | undefined> {
  return await (await openDatabase()).get("receipts", id);
}

export async function clearRecords(): Promise<void> {
  const database = await openDatabase();
  await Promise.all([database.clear("receipts"), database.clear("verdicts")]);
}

async function forgetOldest(keep: number): Promise<void> {
  const database = await openDatabase();
  const keys = await database.getAllKeysFromIndex("receipts", "at");
  for (const key of keys.slice(0, Math.max(0, keys.length - keep))) {
    await database.delete("receipts", key);
    await database.delete("verdicts", key);
  }
}
