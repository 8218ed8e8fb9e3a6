import type { Receipt } from "../transcript/mod.ts";
import { type Accepted, acceptReceipt, type OwnModel, ownSettings } from "./accept_receipt.ts";
import type { CheckedStatement } from "./check_receipt.ts";
import type { Report } from "./report.ts";
import { type Verification, verifyReceipt } from "./verify_receipt.ts";

/** Checks receipts of one model. It keeps what all checks share: settings, tolerances, plans. */
export interface Verifier {
  /**
   * Level 0 for a receipt: signed, complete, by the plan that follows from its request, and of the
   * verifier's model. Reads nothing.
   * @param now milliseconds since 1970.
   * @throws AppError `signature_invalid`, `receipt_mismatch`; of an invalid request
   * `invalid_request`, `invalid_config` or `unsupported_setting`.
   */
  readonly accept: (receipt: Receipt | CheckedStatement, now?: number) => Accepted;
  /**
   * Checks one receipt to a level.
   * @returns a verdict with its numbers; `invalid` with the reason where something that the miner
   * stated or sent does not hold.
   * @throws AppError when the checker cannot check: no host, no file, a codec or an engine that
   * fails. None of these says anything about the miner.
   */
  readonly verify: (order: Verification) => Promise<Report>;
}

/**
 * Reads what receipts are compared with, once. Whatever fails here is the checker's
 * fault. Weights are not read.
 * @throws AppError `model_invalid`, `invalid_config` or `unsupported_setting`.
 */
export async function openVerifier(model: OwnModel): Promise<Verifier> {
  const own = await ownSettings(model);
  return {
    accept: (receipt, now) => acceptReceipt(receipt, own, now),
    verify: (order) => verifyReceipt(order, own),
  };
}
