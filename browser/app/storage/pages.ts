/** Deletes what `offline.js` keeps of this page; the next load keeps it again. */
export async function clearPages(): Promise<void> {
  // There are none on a page that is served without encryption.
  if (!("caches" in globalThis)) return;
  for (const name of await caches.keys()) await caches.delete(name);
}
