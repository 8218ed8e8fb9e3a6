/**
 * What a tab keeps in the browser: receipts, verdicts, images that were made and, in pieces that survive a cut, weights.
 */
export type { PendingJob, StoredImage, StoredReceipt } from "./database.ts";
export {
  galleryImage,
  galleryImages,
  keepImage,
  keepJob,
  pendingJobs,
  receiptOfImage,
  removeImage,
  removeJob,
} from "./gallery.ts";
export { clearKey, keepKey, keptKey } from "./key.ts";
export { clearPages } from "./pages.ts";
export {
  clearRecords,
  keepReceipt,
  keepVerdict,
  keptReceipt,
  keptReceipts,
  keptVerdicts,
} from "./records.ts";
export { WeightStore } from "./weights.ts";
