import { AppError } from "../../core/error.ts";
import type { DeadWork, TakeOptions, Work, WorkCounts, WorkOptions, WorkQueue } from "./cluster.ts";
import { type TraceParent, traceParent } from "../telemetry/mod.ts";
import { checkKey, checkKind } from "./names.ts";

interface Item {
  readonly kind: string;
  readonly id: string;
  readonly body: Uint8Array;
  readonly added: number;
  readonly trace: TraceParent | undefined;
  deliveries: number;
  /** When it is somebody else's, while it is taken. */
  until: number;
}

/** Work of one kind. Sets keep their order: the oldest first. */
interface Items {
  /** Given back, or of a worker that fell silent: before what never was taken. */
  readonly again: Set<Item>;
  readonly fresh: Set<Item>;
  readonly taken: Set<Item>;
}

/** For how long an id that was added is remembered, as JetStream's window. */
const REMEMBERED_MS = 120_000;

/** Work of this process, in its memory. */
export class LocalQueue implements WorkQueue {
  readonly #options: WorkOptions;
  readonly #clock: () => number;
  readonly #items = new Map<string, Items>();
  readonly #dead: DeadWork[] = [];
  readonly #added = new Map<string, number>();
  /** Takers that wait for a kind. */
  readonly #wanted = new Map<string, Set<() => void>>();

  /** @param clock milliseconds. */
  constructor(options: WorkOptions, clock: () => number = () => performance.now()) {
    this.#options = options;
    this.#clock = clock;
  }

  async add(kind: string, id: string, body: Uint8Array): Promise<boolean> {
    const items = this.#of(checkKind(kind));
    this.#forget();
    this.#expire(items);
    if (this.#added.has(checkKey(id))) return false;
    const { again, fresh, taken } = items;
    if (again.size + fresh.size + taken.size >= this.#options.limit) {
      throw queueFull(this.#options.limit);
    }
    this.#added.set(id, this.#clock());
    const [added, trace] = [this.#clock(), traceParent()];
    fresh.add({ kind, id, body, added, trace, deliveries: 0, until: 0 });
    this.#wake(kind);
    return await Promise.resolve(true);
  }

  async take(kind: string, most: number, { waitMs, signal, onDead }: TakeOptions): Promise<Work[]> {
    const end = this.#clock() + waitMs;
    for (;;) {
      this.#expire(this.#of(checkKind(kind)));
      for (const work of this.#bury(kind)) await onDead?.(work);
      const taken = this.#takeNow(kind, most);
      const left = end - this.#clock();
      if (taken.length > 0 || left <= 0 || signal?.aborted) return taken;
      await this.#change(kind, Math.min(left, this.#nextSilence(kind)), signal);
    }
  }

  async counts(kind: string): Promise<WorkCounts> {
    this.#expire(this.#of(kind));
    const { again, fresh, taken } = this.#of(kind);
    const silent = [...taken].filter(({ until }) => until <= this.#clock()).length;
    const waiting = again.size + fresh.size + silent;
    return await Promise.resolve({ waiting, taken: taken.size - silent });
  }

  dead(): Promise<DeadWork[]> {
    return Promise.resolve([...this.#dead]);
  }

  #takeNow(kind: string, most: number): Work[] {
    const { again, fresh, taken } = this.#of(kind);
    const work: Work[] = [];
    for (const items of [again, fresh]) {
      for (const item of items) {
        if (work.length === most) return work;
        items.delete(item);
        taken.add(item);
        work.push(this.#handOut(item));
      }
    }
    return work;
  }

  #handOut(item: Item): Work {
    const { kind, id, body, trace } = item;
    const delivery = ++item.deliveries;
    const { again, fresh, taken } = this.#of(kind);
    // Work that went to somebody else meanwhile is theirs.
    const ours = () => item.deliveries === delivery && taken.has(item);
    item.until = this.#clock() + this.#options.silenceMs;
    return {
      ...{ id, body, delivery, trace },
      beat: () => {
        if (ours()) item.until = this.#clock() + this.#options.silenceMs;
      },
      done: () => {
        for (const items of [again, fresh, taken]) items.delete(item);
        return Promise.resolve();
      },
      giveBack: () => {
        if (ours()) this.#again(item);
        return Promise.resolve(this.#wake(kind));
      },
    };
  }

  #expire(items: Items): void {
    const old = this.#clock() - this.#options.maxAgeMs;
    for (const set of [items.again, items.fresh, items.taken]) {
      for (const item of set) if (item.added <= old) set.delete(item);
    }
  }

  #again(item: Item): void {
    const { again, taken } = this.#of(item.kind);
    taken.delete(item);
    again.add(item);
  }

  /** What is silent is free again, or dead after its last delivery. @returns what died now. */
  #bury(kind: string): readonly DeadWork[] {
    const { taken } = this.#of(kind);
    const now = this.#clock();
    const dead: DeadWork[] = [];
    for (const item of taken) {
      const { id, body, deliveries, until } = item;
      if (until > now) continue;
      if (deliveries < this.#options.deliveries) this.#again(item);
      else if (taken.delete(item)) dead.push({ kind, id, body });
    }
    this.#dead.push(...dead);
    return dead;
  }

  #of(kind: string): Items {
    const found = this.#items.get(kind) ??
      { again: new Set<Item>(), fresh: new Set<Item>(), taken: new Set<Item>() };
    this.#items.set(kind, found);
    return found;
  }

  /** Milliseconds until work of this kind is free again. */
  #nextSilence(kind: string): number {
    const now = this.#clock();
    return Math.min(Infinity, ...[...this.#of(kind).taken].map(({ until }) => until - now));
  }

  async #change(kind: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wanted = upsert(this.#wanted, kind);
    wanted.add(resolve);
    const timer = setTimeout(resolve, ms + 1);
    const end = () => resolve();
    signal?.addEventListener("abort", end, { once: true });
    await promise;
    signal?.removeEventListener("abort", end);
    clearTimeout(timer);
    wanted.delete(resolve);
  }

  #wake(kind: string): void {
    for (const wake of upsert(this.#wanted, kind)) wake();
  }

  #forget(): void {
    const old = this.#clock() - REMEMBERED_MS;
    for (const [id, added] of this.#added) {
      if (added > old) return;
      this.#added.delete(id);
    }
  }
}

/** @param limit of work of one kind. */
function queueFull(limit: number): AppError {
  return new AppError(
    "queue_full",
    `Cannot take the request: ${limit} are waiting, and there is room for no more`,
  );
}

function upsert<T>(map: Map<string, Set<T>>, key: string): Set<T> {
  const found = map.get(key) ?? new Set<T>();
  map.set(key, found);
  return found;
}
