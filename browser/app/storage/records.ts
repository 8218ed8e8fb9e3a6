import { openDatabase, type StoredReceipt, type StoredVerdict } from "./database.ts";

/** Receipts that are kept; the oldest go first. */
const KEPT = 200;

/** Larger files are weights, which the reader has elsewhere. */
const MAX_INPUT_BYTES = 64 * 2 ** 20;

/**
 * Keeps a receipt. A full disk makes room by deleting the older half, then by leaving out the
 * images.
 * @returns false when there is no room at all.
 */
export async function keepReceipt(
  { transcript: _, inputs = {}, ...facts }: StoredReceipt,
): Promise<boolean> {
  const small = Object.entries(inputs).filter(([, { size }]) => size <= MAX_INPUT_BYTES);
  const stored = small.length === 0 ? facts : { ...facts, inputs: Object.fromEntries(small) };
  if (!await put(stored)) {
    await forgetOldest((kept) => Math.floor(kept / 2), stored.id);
    if (!await put(stored) && !await put({ ...facts, image: undefined })) return false;
  }
  await forgetOldest(() => KEPT, stored.id);
  return true;
}

/** @returns false when there is no room. */
async function put(stored: StoredReceipt): Promise<boolean> {
  try {
    await (await openDatabase()).put("receipts", stored);
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
    throw error;
  }
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
  const stores = ["receipts", "verdicts", "gallery", "jobs"] as const;
  await Promise.all(stores.map((store) => database.clear(store)));
}

/** @param keep how many of the others stay, of how many there are. */
async function forgetOldest(keep: (kept: number) => number, but: string): Promise<void> {
  const database = await openDatabase();
  const keys = (await database.getAllKeysFromIndex("receipts", "at")).filter((key) => key !== but);
  for (const key of keys.slice(0, Math.max(0, keys.length - keep(keys.length)))) {
    await database.delete("receipts", key);
    await database.delete("verdicts", key);
  }
}
