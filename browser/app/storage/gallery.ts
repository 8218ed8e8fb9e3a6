import { openDatabase, type PendingJob, type StoredImage, type StoredReceipt } from "./database.ts";

/** The newest first. */
export async function galleryImages(): Promise<StoredImage[]> {
  return (await (await openDatabase()).getAllFromIndex("gallery", "at")).reverse();
}

/** As it is looked at where it is checked. */
export function receiptOfImage(
  { id, receipt, link, image, inputs, steps, at }: StoredImage,
): StoredReceipt {
  return { id, receipt, link, image, inputs, transcript: steps, at };
}

export async function galleryImage(id: string): Promise<StoredImage | undefined> {
  return await (await openDatabase()).get("gallery", id);
}

/** Nothing of the gallery is deleted to make room: its owner chooses. @returns false without room. */
export async function keepImage(image: StoredImage): Promise<boolean> {
  try {
    await (await openDatabase()).put("gallery", image);
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
    throw error;
  }
}

export async function removeImage(id: string): Promise<void> {
  await (await openDatabase()).delete("gallery", id);
}

/** Jobs that were given to a validator and have not ended yet. */
export async function pendingJobs(): Promise<PendingJob[]> {
  return await (await openDatabase()).getAll("jobs");
}

export async function keepJob(job: PendingJob): Promise<void> {
  await (await openDatabase()).put("jobs", job);
}

export async function removeJob(id: string): Promise<void> {
  await (await openDatabase()).delete("jobs", id);
}
