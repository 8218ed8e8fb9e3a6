import type { Clock } from "./clock.ts";

/** The first that succeeded, or why all failed. */
export type Outcome<T> = { readonly value: T } | { readonly errors: readonly unknown[] };

/**
 * Starts the first attempt, and the next when one fails or takes longer than the hedge. Attempts
 * that lose go on: their outcomes still count for their miners.
 * @param hedgeMs from one start to the next.
 */
export function firstGood<T>(
  attempts: readonly (() => Promise<T>)[],
  hedgeMs: number,
  { sleep }: Pick<Clock, "sleep">,
): Promise<Outcome<T>> {
  const { promise, resolve } = Promise.withResolvers<Outcome<T>>();
  const errors: unknown[] = [];
  let next = 0;
  let hedge = new AbortController();
  const done = (outcome: Outcome<T>) => {
    hedge.abort();
    next = attempts.length;
    resolve(outcome);
  };
  const start = () => {
    hedge.abort();
    const attempt = attempts[next++];
    if (!attempt) return;
    if (next < attempts.length) {
      const { signal } = hedge = new AbortController();
      void sleep(hedgeMs, signal).then(() => signal.aborted || start());
    }
    attempt().then((value) => done({ value }), (error) => {
      errors.push(error);
      if (errors.length === attempts.length) done({ errors });
      else start();
    });
  };
  if (attempts.length === 0) done({ errors });
  else start();
  return promise;
}
