/**
 * Does work now and again and again, never twice at once, until it is disposed, which waits for it.
 * @param failed gets what the work throws; it is still repeated.
 */
export function repeat(
  everyMs: number,
  work: () => Promise<void>,
  failed: (error: unknown) => void,
): AsyncDisposable {
  let running: Promise<void> | undefined;
  const run = () => void (running ??= work().catch(failed).finally(() => running = undefined));
  const timer = setInterval(run, everyMs);
  run();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
