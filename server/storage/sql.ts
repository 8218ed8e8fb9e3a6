import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { type DatabaseOptions, openDatabase } from "./database.ts";

/** One row, by the names of its columns. */
export type SqlRow = Readonly<Record<string, SQLOutputValue>>;

/** An SQLite file, its statements compiled once. */
export class Sql implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * @param schema statements that may have run before.
   * @param options as of `openDatabase`.
   * @throws AppError `storage_failed` as `openDatabase`.
   */
  constructor(path: string, schema: string, options?: DatabaseOptions) {
    this.#database = openDatabase(path, schema, options);
  }

  /** @returns how many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  first(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.#prepared(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
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

  /**
   * As {@link atomically}, of what may be lost in a power cut, though never in part: it does not wait for the
   * disk.
   */
  loosely<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    const { synchronous } = this.#database.prepare("PRAGMA synchronous").get() ?? {};
    this.#database.exec("PRAGMA synchronous = NORMAL");
    try {
      return this.atomically(work);
    } finally {
      this.#database.exec(`PRAGMA synchronous = ${Number(synchronous)}`);
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
