/** Time as an argument: what waits and measures runs in simulated time too. */
export interface Clock {
  /** Milliseconds; since 1970 where they are kept. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or at once when it is cut short. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
    }),
};

/** For durations: nobody sets it back. */
export const stopwatch: Clock = { ...systemClock, now: () => performance.now() };
