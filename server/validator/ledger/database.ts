import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { openDatabase } from "../../storage/mod.ts";
import type { Row } from "./rows.ts";
import { SCHEMA } from "./schema.ts";

/** The ledger's one SQLite handle, which its tables share, and its clock. */
export class LedgerDatabase implements Disposable {
  readonly #database: DatabaseSync;
  readonly #clock: () => number;
  readonly #statements = new Map<string, StatementSync>();
  readonly #versions = new Map<string, number>();

  /** @param path of an SQLite file. @param clock milliseconds since 1970. */
  constructor(path: string, clock: () => number) {
    this.#database = openDatabase(path, SCHEMA);
    this.#clock = clock;
  }

  now(): number {
    return this.#clock();
  }

  /** There is something new of a miner. */
  changed(hotkey: string): void {
    this.#versions.set(hotkey, 1 + this.versionOf(hotkey));
  }

  /** Another one whenever this process has recorded something of a miner. */
  versionOf(hotkey: string): number {
    return this.#versions.get(hotkey) ?? 0;
  }

  /** @returns how many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  first(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values);
  }

  /** One transaction, also for what is called within one. */
  atomically<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** Compiled once: every request of a user reads the metrics of all miners. */
  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
