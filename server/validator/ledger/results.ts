import type { LedgerDatabase } from "./database.ts";
import type { StressQueue } from "./queue.ts";
import { brief } from "./rows.ts";

/** How one request of a user ended at one miner. */
export interface UserResult {
  /** Of the request. */
  readonly id: string;
  readonly hotkey: string;
  readonly served: boolean;
  readonly why: string | null;
}

/** Whether miners served users. Each result counts once; recording returns whether it was new. */
export class UserResults {
  readonly #database: LedgerDatabase;
  readonly #queue: StressQueue;

  constructor(database: LedgerDatabase, queue: StressQueue) {
    this.#database = database;
    this.#queue = queue;
  }

  /** A user's request was answered with a good image. */
  served(id: string, hotkey: string): boolean {
    return this.record({ id, hotkey, served: true, why: null });
  }

  /** A user's request was not. The miner is to be tested soon. */
  failed(id: string, hotkey: string, why: string): boolean {
    return this.record({ id, hotkey, served: false, why });
  }

  /** @param at milliseconds since 1970. */
  record({ id, hotkey, served, why }: UserResult, at = this.#database.now()): boolean {
    return this.#database.atomically(() => {
      const isNew = this.#database.run(
        "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)",
        ...[id, hotkey, served ? 1 : 0, why && brief(why), at],
      ) > 0;
      if (isNew) this.#database.changed(hotkey);
      if (isNew && !served) this.#queue.add(hotkey, why ?? "failed a user");
      return isNew;
    });
  }

  sweep(before: number): void {
    this.#database.run("DELETE FROM answers WHERE at < ?", before);
  }
}
