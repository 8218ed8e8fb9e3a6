import { AppError } from "../../../core/error.ts";

/**
 * A promise's outcome, or an error once the time is over. The promise goes on, but its outcome is ignored.
 * @throws AppError `chain_unreachable`.
 */
export async function within<T>(promise: Promise<T>, ms: number, doing: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const why = `the chain did not answer within ${ms / 1000} s`;
      reject(new AppError("chain_unreachable", `Cannot ${doing}: ${why}; is its node up?`));
    }, ms);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
