import { effect, signal } from "@preact/signals";
import { galleryImages, keepImage, removeImage, type StoredImage } from "../storage/mod.ts";
import { complain, forgotten } from "../state/mod.ts";

/** Images that were made here or for this browser, the newest first; undefined until they are read. */
export const gallery = signal<readonly StoredImage[] | undefined>(undefined);
/** The id of the last that was made since the reader asked for it. */
export const newest = signal<string | undefined>(undefined);

let reading: Promise<void> | undefined;

/** Reads it once; what was made meanwhile is there already. */
export function readGallery(): Promise<void> {
  return reading ??= (async () => {
    const kept = await galleryImages().catch(() => []);
    const made = gallery.value ?? [];
    gallery.value = [...made, ...kept.filter(({ id }) => !made.some((each) => each.id === id))];
  })();
}

export async function addToGallery(image: StoredImage): Promise<void> {
  gallery.value = [image, ...(gallery.value ?? []).filter(({ id }) => id !== image.id)];
  newest.value = image.id;
  if (await keepImage(image).catch(() => false)) return;
  complain("generate", "This browser has no room to keep the image: save it, or delete others.");
}

export async function removeFromGallery(id: string): Promise<void> {
  gallery.value = (gallery.value ?? []).filter((image) => image.id !== id);
  await removeImage(id).catch(() => {});
}

// After everything was cleared.
effect(() => {
  if (forgotten.value > 0) [gallery.value, newest.value] = [[], undefined];
});
