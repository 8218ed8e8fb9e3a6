import { AppError } from "../../core/error.ts";
import { errorFacts, isErrorCode } from "../../core/error_codes.ts";
import { MinerBusy } from "./miner_answer.ts";
import { MinerRefused } from "./miner_caller.ts";

/** How the miners asked for the same image ended, and so whose fault it is. */
export interface Blame {
  /** Whether a miner that failed is to be charged with it. */
  readonly charged: boolean;
  /** What is wrong with the request, where its miners agree on it. */
  readonly request: AppError | undefined;
}

/**
 * Whose fault it is that no miner made the image. Miners that all refuse a request for the same reason
 * prove it bad, whichever caller sent it; one that fails alone proves nothing against the others. One miner
 * is believed only where it names the caller: its tests show whether it says so of every request.
 * @param errors of all that were asked.
 */
export function blameFor(errors: readonly unknown[]): Blame {
  const judged = errors.filter((error) => !isExcused(error));
  const refusals = judged.filter((error) => error instanceof MinerRefused);
  const [first] = refusals;
  const alike = refusals.length === judged.length &&
    refusals.every(({ said }) => said === first.said);
  if (!first || !alike) return { charged: true, request: undefined };
  const code = isErrorCode(first.said) ? first.said : undefined;
  const ofRequest = code !== undefined && errorFacts(code).status === 400;
  return {
    charged: !ofRequest && refusals.length < 2,
    request: ofRequest ? new AppError(code, first.message, { cause: first }) : undefined,
  };
}

/** Whether nobody is to blame: no room, or no caller waits any more. */
export function isExcused(error: unknown): boolean {
  return error instanceof MinerBusy || (error instanceof AppError && error.code === "cancelled");
}
