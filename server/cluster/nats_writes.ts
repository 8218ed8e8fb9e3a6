import { JetStreamApiError } from "@nats-io/jetstream";
import { AppError, reason } from "../../core/error.ts";

/** JetStream's own numbers of errors, from its server's errors.json. */
const WRONG_LAST_SEQUENCE = 10071;
const MAXIMUM_REACHED = [10077, 10054];
const NO_STORAGE = [10023, 10047, 10028, 10074];

/** Another write of the same is on its way: the next try learns which came first. */
const IN_PROCESS = [10158, 10164, 10167];

/** Milliseconds for which something is tried while servers come and go. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 200;

/** Whether what was to be the first is not. */
export function isTaken(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE;
}

/**
 * Does something that may be done again, until the cluster answers.
 * @throws AppError `queue_full`, `storage_failed`, `cluster_unavailable`; what `isTaken` is thrown as
 * it is.
 */
export async function persist<T>(
  doing: string,
  work: (tries: number) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (let tries = 0;; tries++) {
    try {
      return await work(tries);
    } catch (error) {
      const final = finalError(doing, error);
      if (final) throw final;
      if (performance.now() > end) throw unanswered(doing, error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** What another try would not change. */
function finalError(doing: string, error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (!(error instanceof JetStreamApiError)) return undefined;
  if (isTaken(error)) return error;
  if (IN_PROCESS.includes(error.code)) return undefined;
  if (MAXIMUM_REACHED.includes(error.code)) return maximum(doing, error);
  if (NO_STORAGE.includes(error.code)) return noStorage(doing, error);
  return error.status >= 500 ? undefined : unanswered(doing, error);
}

function maximum(doing: string, error: JetStreamApiError): AppError {
  if (/bytes/.test(error.message)) return noStorage(doing, error);
  return new AppError(
    "queue_full",
    `Cannot ${doing}: as many wait as there is room for`,
    { cause: error },
  );
}

function noStorage(doing: string, cause: Error): AppError {
  return new AppError(
    "storage_failed",
    `Cannot ${doing}: the cluster's storage is full (${cause.message}); give JetStream more room ` +
      "(max_file_store), or wait until work is done",
    { cause },
  );
}

/** @param cause of the last try. */
export function unanswered(doing: string, cause: unknown): AppError {
  return new AppError(
    "cluster_unavailable",
    `Cannot ${doing}: the cluster does not answer (${reason(cause)}); more than half of its ` +
      "servers have to run",
    { cause },
  );
}
