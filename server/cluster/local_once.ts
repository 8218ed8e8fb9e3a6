import type { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../storage/mod.ts";
import type { Once } from "./cluster.ts";
import { checkKey } from "./names.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS once
    (key TEXT PRIMARY KEY, value TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS by_end ON once (until);
`;

/** Values that are written once, in an SQLite file. */
export class LocalOnce implements Once, Disposable {
  readonly #database: DatabaseSync;
  readonly #ms: number;
  readonly #clock: () => number;

  /** @param clock milliseconds since 1970, as several processes use the file. */
  constructor(path: string, seconds: number, clock: () => number = Date.now) {
    this.#database = openDatabase(path, SCHEMA);
    this.#ms = 1000 * seconds;
    this.#clock = clock;
  }

  claim(key: string, value: string): Promise<boolean> {
    this.#run("DELETE FROM once WHERE until <= ?", this.#clock());
    const until = this.#clock() + this.#ms;
    const insert = "INSERT OR IGNORE INTO once VALUES (?, ?, ?)";
    return Promise.resolve(this.#run(insert, checkKey(key), value, until));
  }

  get(key: string): Promise<string | undefined> {
    const found = this.#database.prepare("SELECT value FROM once WHERE key = ? AND until > ?")
      .get(checkKey(key), this.#clock());
    return Promise.resolve(found && String(found.value));
  }

  renew(key: string, value: string): Promise<boolean> {
    const now = this.#clock();
    const update = "UPDATE once SET until = ? WHERE key = ? AND value = ? AND until > ?";
    return Promise.resolve(this.#run(update, now + this.#ms, checkKey(key), value, now));
  }

  release(key: string, value: string): Promise<void> {
    this.#run("DELETE FROM once WHERE key = ? AND value = ?", checkKey(key), value);
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** @returns whether it changed anything. */
  #run(statement: string, ...values: readonly (string | number)[]): boolean {
    return this.#database.prepare(statement).run(...values).changes > 0;
  }
}
