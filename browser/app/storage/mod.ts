/**
 * What a tab keeps in the browser: receipts, verdicts and, in pieces that survive a cut, weights.
 */
export type { StoredReceipt } from "./database.ts";
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
