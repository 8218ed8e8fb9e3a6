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
