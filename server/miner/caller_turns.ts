import { AppError } from "../../core/error.ts";
import { RetryLater } from "../http/mod.ts";

/** Somebody's wish to be let in. */
export interface Turn {
  readonly caller: string;
  /** Comes after all others. */
  readonly spare?: boolean;
  readonly signal?: AbortSignal;
  /** How many are let in before. */
  readonly onPosition?: (position: number) => void;
}

interface Waiting extends Turn {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Seconds after which there may be a place. */
const ROOM_SECONDS = 5;

/**
 * Lets callers into what has room for some, so that each has as many places as any other that waits;
 * among those that have as many, the first come first.
 */
export class CallerTurns {
  readonly #room: () => number;
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  readonly #inside = new Map<string, number>();

  /** @param room for so many at a time. @param limit of those that wait. */
  constructor(room: () => number, limit: number) {
    this.#room = room;
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Waits for a place, until what is returned is disposed.
   * @throws RetryLater `queue_full`, also to the last of a caller that has more than others;
   * AppError `cancelled`.
   */
  async enter(turn: Turn): Promise<Disposable> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#waiting.length >= this.#limit) this.#makeWay(turn.caller);
    const waiting = { ...turn, resolve, reject };
    this.#waiting.push(waiting);
    const leave = () => this.#drop(waiting, new AppError("cancelled", CANCELLED));
    turn.signal?.addEventListener("abort", leave, { once: true });
    if (turn.signal?.aborted) leave();
    this.letIn();
    try {
      await promise;
    } finally {
      turn.signal?.removeEventListener("abort", leave);
    }
    return { [Symbol.dispose]: () => this.#end(turn.caller) };
  }

  /** Those whose turn it is; to be called when there may be more room. */
  letIn(): void {
    while (this.#waiting.length > 0 && this.#count() < this.#room()) {
      const next = this.#waiting.reduce((one, other) => this.#before(other, one) ? other : one);
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#inside.set(next.caller, 1 + this.#of(next.caller));
      next.resolve();
    }
    for (const [k, { onPosition }] of this.#waiting.entries()) onPosition?.(k + 1);
  }

  /** What waits is handed back. */
  close(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  #before(other: Turn, one: Turn): boolean {
    if (!other.spare !== !one.spare) return !other.spare;
    return this.#of(other.caller) < this.#of(one.caller);
  }

  #of(caller: string): number {
    return this.#inside.get(caller) ?? 0;
  }

  #count(): number {
    return this.#inside.values().reduce((sum, count) => sum + count, 0);
  }

  #end(caller: string): void {
    const left = this.#of(caller) - 1;
    if (left > 0) this.#inside.set(caller, left);
    else this.#inside.delete(caller);
    this.letIn();
  }

  /** @throws RetryLater `queue_full` to a caller that has as many as any. */
  #makeWay(caller: string): void {
    const places = Map.groupBy(this.#waiting, (each) => each.caller);
    const most = [...places.values()].reduce((a, b) => b.length > a.length ? b : a);
    if (most.length <= 1 + (places.get(caller)?.length ?? 0)) throw full(this.#limit);
    this.#drop(most[most.length - 1], full(this.#limit));
  }

  #drop(waiting: Waiting, error: unknown): void {
    const at = this.#waiting.indexOf(waiting);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    waiting.reject(error);
  }
}

const CANCELLED = "Cannot generate: it was cancelled";

function full(limit: number): RetryLater {
  return new RetryLater(
    "queue_full",
    `Cannot take the request: ${limit} are waiting, and there is room for no more`,
    ROOM_SECONDS,
  );
}
