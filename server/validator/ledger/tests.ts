import type { Checked, CheckLedger } from "./checks.ts";
import type { LedgerDatabase } from "./database.ts";
import type { StressQueue } from "./queue.ts";

/** How a miner bore a doubled load. */
export interface LoadTest {
  /** Unique. */
  readonly id: string;
  readonly requestsPerSecond: number;
  readonly errorRate: number;
  /** All that were sent. */
  readonly requests: number;
}

/** Stress tests. */
export class TestLedger {
  readonly #database: LedgerDatabase;
  readonly #checks: CheckLedger;
  readonly #queue: StressQueue;

  constructor(database: LedgerDatabase, checks: CheckLedger, queue: StressQueue) {
    this.#database = database;
    this.#checks = checks;
    this.#queue = queue;
  }

  /** A test and the checks of its samples, all or nothing. @returns false if it is known. */
  add(hotkey: string, test: LoadTest, checks: readonly Checked[]): boolean {
    return this.#database.atomically(() => {
      if (!this.record(hotkey, test)) return false;
      for (const check of checks) this.#checks.settle(check);
      return true;
    });
  }

  /** Takes the miner off the queue. @param at milliseconds since 1970. @returns whether it was new. */
  record(hotkey: string, test: LoadTest, at = this.#database.now()): boolean {
    const { id, requestsPerSecond, errorRate, requests } = test;
    const isNew = this.#database.run(
      "INSERT OR IGNORE INTO tests VALUES (?, ?, ?, ?, ?, ?)",
      ...[id, hotkey, requestsPerSecond, errorRate, requests, at],
    ) > 0;
    if (!isNew) return false;
    this.#database.changed(hotkey);
    this.#queue.remove(hotkey, at);
    return true;
  }

  /** When each miner was last tested, in milliseconds since 1970. */
  latest(): ReadonlyMap<string, number> {
    const rows = this.#database.all("SELECT hotkey, MAX(at) AS at FROM tests GROUP BY hotkey");
    return new Map(rows.map(({ hotkey, at }) => [String(hotkey), Number(at)]));
  }

  /** The newest of each miner stays. */
  sweep(before: number): void {
    this.#database.run(
      "DELETE FROM tests WHERE at < ? AND at < " +
        "(SELECT MAX(at) FROM tests AS later WHERE later.hotkey = tests.hotkey)",
      before,
    );
  }
}
