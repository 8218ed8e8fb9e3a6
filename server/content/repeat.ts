import { reason } from "../../core/error.ts";

/**
 * Does something again and again, never twice at once: a turn that comes while the last one goes on is left
 * out. What fails is tried again at the next.
 * @param every milliseconds.
 */
export function repeat(
  stack: AsyncDisposableStack,
  every: number,
  work: () => Promise<unknown>,
): void {
  let running = false;
  const turn = async () => {
    if (running) return;
    running = true;
    try {
      await work();
    } catch (error) {
      console.error(`Cannot go on, which is tried again: ${reason(error)}`);
    } finally {
      running = false;
    }
  };
  const timer = setInterval(() => void turn(), every);
  stack.defer(() => clearInterval(timer));
}
