import { setImmediate } from "node:timers";
import type { Clock } from "../../validator/mod.ts";
import { onAbort } from "./on_abort.ts";

interface Timer {
  readonly at: number;
  wake: (() => void) | undefined;
}

/** Time that passes only when all that runs waits for it. */
export class SimulatedClock implements Clock {
  #now = 0;
  /** A heap by `at`; those of the same moment wake together. */
  readonly #timers: Timer[] = [];

  /** Milliseconds. */
  readonly now = (): number => this.#now;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const timer: Timer = { at: this.#now + Math.max(0, ms), wake: undefined };
      const off = signal && onAbort(signal, () => {
        timer.wake = undefined;
        resolve();
      });
      timer.wake = () => (off?.(), resolve());
      push(this.#timers, timer);
    });

  /** Lets time pass up to a moment. @param until milliseconds. */
  async run(until: number): Promise<void> {
    while (true) {
      await settled();
      const [next] = this.#timers;
      if (!next || next.at > until) break;
      this.#now = next.at;
      while (this.#timers[0]?.at === this.#now) pop(this.#timers)?.wake?.();
    }
    this.#now = until;
  }
}

/** After all that can go on without time has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent].at <= timer.at) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): Timer | undefined {
  const [top] = heap;
  const last = heap.pop();
  if (!last || heap.length === 0) return top;
  let at = 0;
  while (true) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1].at < heap[child].at) child++;
    if (heap[child].at >= last.at) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return top;
}
