import { AppError } from "../../core/error.ts";
import type { DeadWork, TakeOptions, Work, WorkCounts, WorkOptions, WorkQueue } from "./cluster.ts";
import { checkKey, checkKind } from "./names.ts";

interface Item {
  readonly kind: string;
  readonly id: string;
  readonly body: Uint8Array;
  deliveries: number;
  /** When it is somebody else's; 0 while it waits. */
  until: number;
}

/** For how long an id that was added is remembered, as JetStream's window. */
const REMEMBERED_MS = 120_000;

/** Work of this process, in its memory. */
export class LocalQueue implements WorkQueue {
  readonly #options: WorkOptions;
  readonly #clock: () => number;
  /** By their kinds, the oldest first. */
  readonly #items = new Map<string, Set<Item>>();
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
    if (this.#added.has(checkKey(id))) return false;
    if (items.size >= this.#options.limit) throw queueFull(this.#options.limit);
    this.#added.set(id, this.#clock());
    items.add({ kind, id, body, deliveries: 0, until: 0 });
    this.#wake(kind);
    return await Promise.resolve(true);
  }

  async take(kind: string, most: number, { waitMs, signal, onDead }: TakeOptions): Promise<Work[]> {
    const end = this.#clock() + waitMs;
    for (;;) {
      for (const work of this.#bury(checkKind(kind))) await onDead?.(work);
      const taken = this.#takeNow(kind, most);
      const left = end - this.#clock();
      if (taken.length > 0 || left <= 0 || signal?.aborted) return taken;
      await this.#change(kind, Math.min(left, this.#nextSilence(kind)), signal);
    }
  }

  async counts(kind: string): Promise<WorkCounts> {
    const all = [...this.#of(kind)];
    const taken = all.filter(({ until }) => until > this.#clock()).length;
    return await Promise.resolve({ waiting: all.length - taken, taken });
  }

  dead(): Promise<DeadWork[]> {
    return Promise.resolve([...this.#dead]);
  }

  #takeNow(kind: string, most: number): Work[] {
    const now = this.#clock();
    const free = [...this.#of(kind)].filter(({ until }) => until <= now).slice(0, most);
    return free.map((item) => this.#handOut(item));
  }

  #handOut(item: Item): Work {
    const { id, body } = item;
    const delivery = ++item.deliveries;
    // Work that went to somebody else meanwhile is theirs.
    const ours = () => item.deliveries === delivery;
    const beat = () => {
      if (ours()) item.until = this.#clock() + this.#options.silenceMs;
    };
    beat();
    return {
      ...{ id, body, delivery, beat },
      done: () => Promise.resolve(void this.#of(item.kind).delete(item)),
      giveBack: () => {
        if (ours()) item.until = 0;
        return Promise.resolve(this.#wake(item.kind));
      },
    };
  }

  /** What is silent after its last delivery is dead. @returns what is so from now on. */
  #bury(kind: string): readonly DeadWork[] {
    const [items, now] = [this.#of(kind), this.#clock()];
    const silent = [...items].filter(({ deliveries, until }) =>
      deliveries >= this.#options.deliveries && until <= now
    );
    for (const item of silent) items.delete(item);
    const dead = silent.map(({ id, body }) => ({ kind, id, body }));
    this.#dead.push(...dead);
    return dead;
  }

  #of(kind: string): Set<Item> {
    return upsert(this.#items, kind);
  }

  /** Milliseconds until work of this kind is free again. */
  #nextSilence(kind: string): number {
    const now = this.#clock();
    const left = [...this.#of(kind)].map(({ until }) => until - now).filter((ms) => ms > 0);
    return Math.min(Infinity, ...left);
  }

  async #change(kind: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wanted = upsert(this.#wanted, kind);
    wanted.add(resolve);
    const timer = setTimeout(resolve, ms + 1);
    signal?.addEventListener("abort", () => resolve(), { once: true });
    await promise;
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
