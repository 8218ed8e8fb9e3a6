import type { Checked, CheckLedger } from "./checks.ts";
import type { LedgerDatabase } from "./database.ts";
import type { MeasuredOf } from "./measured.ts";

/** How a miner bore the load of a window. */
export interface LoadTest {
  /** Unique. */
  readonly id: string;
  /** In images of the model's default. */
  readonly requestsPerSecond: number;
  readonly errorRate: number;
  /** All that were sent. */
  readonly requests: number;
  /** Requests at once that the miner took. */
  readonly carried: number;
}

/** Stress tests. */
export class TestLedger {
  readonly #database: LedgerDatabase;
  readonly #checks: CheckLedger;

  constructor(database: LedgerDatabase, checks: CheckLedger) {
    this.#database = database;
    this.#checks = checks;
  }

  /** A test and the checks of its samples, all or nothing. @returns false if it is known. */
  add(hotkey: string, test: LoadTest, checks: readonly Checked[]): boolean {
    return this.#database.atomically(() => {
      if (!this.record(hotkey, test)) return false;
      for (const check of checks) this.#checks.settle(check);
      return true;
    });
  }

  /** @param at milliseconds since 1970. @returns whether it was new. */
  record(hotkey: string, test: LoadTest, at = this.#database.now()): boolean {
    const measured = { kind: "test", hotkey, ...test, at } as const;
    return this.#database.record(measured, () => this.#put("IGNORE", measured));
  }

  /** As the log of all processes has it. */
  replace(measured: MeasuredOf<"test">): void {
    this.#put("REPLACE", measured);
  }

  #put(how: "IGNORE" | "REPLACE", test: MeasuredOf<"test">): boolean {
    const { id, hotkey, requestsPerSecond, errorRate, requests, carried, at } = test;
    const isNew = this.#database.run(
      `INSERT OR ${how} INTO windows VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ...[id, hotkey, requestsPerSecond, errorRate, requests, carried, at],
    ) > 0;
    if (isNew) this.#database.changed(hotkey);
    return isNew;
  }

  /** When each miner was last tested, in milliseconds since 1970. */
  latest(): ReadonlyMap<string, number> {
    const rows = this.#database.all("SELECT hotkey, MAX(at) AS at FROM windows GROUP BY hotkey");
    return new Map(rows.map(({ hotkey, at }) => [String(hotkey), Number(at)]));
  }

  sweep(before: number): void {
    this.#database.run("DELETE FROM windows WHERE at < ?", before);
  }
}
