import { AppError } from "../../core/error.ts";
import { RetryLater } from "../http/mod.ts";

/** Somebody's wish to be let in. */
export interface Turn {
  readonly caller: string;
  /** That it keeps in memory while it waits; default: none worth counting. */
  readonly bytes?: number;
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
/** Bytes of all that wait: sixteen of the largest requests with files. */
const MAX_BYTES = 512 * 2 ** 20;

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
    if (this.#waiting.length >= this.#limit) this.#makeWay(turn, () => 1);
    while (sumOf([...this.#waiting, turn], bytesOf) > MAX_BYTES) this.#makeWay(turn, bytesOf);
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

  /**
   * The last of the caller that has most gives way.
   * @throws RetryLater `queue_full` to one that would have as much as any.
   */
  #makeWay(turn: Turn, sizeOf: (turn: Turn) => number): void {
    const some = this.#waiting.filter((each) => sizeOf(each) > 0);
    const places = Map.groupBy(some, (each) => each.caller);
    const most = [...places.values()].reduce((a, b) => sumOf(b, sizeOf) > sumOf(a, sizeOf) ? b : a);
    const own = sumOf([...places.get(turn.caller) ?? [], turn], sizeOf);
    if (sumOf(most, sizeOf) <= own) throw full(this.#waiting.length);
    this.#drop(most[most.length - 1], full(this.#waiting.length));
  }

  #drop(waiting: Waiting, error: unknown): void {
    const at = this.#waiting.indexOf(waiting);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    waiting.reject(error);
  }
}

function bytesOf({ bytes = 0 }: Turn): number {
  return bytes;
}

function sumOf(turns: readonly Turn[], sizeOf: (turn: Turn) => number): number {
  return turns.reduce((sum, turn) => sum + sizeOf(turn), 0);
}

const CANCELLED = "Cannot generate: it was cancelled";

function full(limit: number): RetryLater {
  return new RetryLater(
    "queue_full",
    `Cannot take the request: ${limit} are waiting, and there is room for no more`,
    ROOM_SECONDS,
  );
}
