import type { OpeningTarget } from "../transcript/mod.ts";
import type { CheckedReceipt } from "./check_receipt.ts";

/** Where openings come from, each as the bytes that a miner would send. */
export type OpeningSource = (
  committed: CheckedReceipt,
  target: OpeningTarget,
) => Promise<Uint8Array>;
