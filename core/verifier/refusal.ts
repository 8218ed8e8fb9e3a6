import { AppError } from "../error.ts";
import { errorFacts } from "../error_codes.ts";

/** What a miner stated or sent does not hold. Anything else that is thrown is not their fault. */
export class Refusal extends Error {
  constructor(override readonly cause: AppError) {
    super(cause.message);
  }
}

/**
 * Only for code that reads what a miner sent: our own engine and files may fail with the same
 * codes.
 * @throws Refusal when it does not hold, or what else went wrong.
 */
export async function ofMiner<T>(look: () => T | Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof AppError && errorFacts(error.code).evidence) throw new Refusal(error);
    throw error;
  }
}
