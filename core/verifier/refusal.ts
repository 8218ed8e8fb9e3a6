import { AppError, type ErrorCode } from "../error.ts";

/** By these codes a miner's evidence is refused. */
const CODES: readonly ErrorCode[] = [
  "signature_invalid",
  "receipt_mismatch",
  "transcript_invalid",
  "opening_invalid",
  "opening_mismatch",
  "opening_withheld",
  "proof_invalid",
  "not_finite",
  "shape_mismatch",
  "invalid_request",
  "invalid_config",
  "unsupported_setting",
  "encoding_failed",
];

/** What a miner stated or sent does not hold. Anything else that is thrown is no fault of his. */
export class Refusal extends Error {
  constructor(override readonly cause: AppError) {
    super(cause.message);
  }
}

/**
 * Looks at what a miner sent, and at nothing else: our own engine and files may fail by the same
 * codes.
 * @throws Refusal when it does not hold, or what else went wrong.
 */
export async function ofMiner<T>(look: () => T | Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof AppError && CODES.includes(error.code)) throw new Refusal(error);
    throw error;
  }
}
