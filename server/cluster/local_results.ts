import type { DatabaseSync, StatementSync } from "node:sqlite";
import { openDatabase } from "../storage/mod.ts";
import type { Entry, ResultLog } from "./cluster.ts";
import { checkKey } from "./names.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS results
    (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, body BLOB NOT NULL);
`;
/** Entries that are read at a time. */
const PAGE = 100;
/** Milliseconds after which another process' entries are looked for. */
const LOOK_MS = 1000;

/** Results in an SQLite file. */
export class LocalResults implements ResultLog, Disposable {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #page: StatementSync;
  readonly #readers = new Set<() => void>();

  /** @param path `:memory:` keeps nothing after the process. */
  constructor(path: string) {
    this.#database = openDatabase(path, SCHEMA);
    this.#insert = this.#database.prepare("INSERT OR IGNORE INTO results (id, body) VALUES (?, ?)");
    this.#page = this.#database.prepare(
      `SELECT position, id, body FROM results WHERE position > ? ORDER BY position LIMIT ${PAGE}`,
    );
  }

  append(id: string, body: Uint8Array): Promise<boolean> {
    const { changes } = this.#insert.run(checkKey(id), body);
    for (const wake of this.#readers) wake();
    return Promise.resolve(changes > 0);
  }

  async *read(after: number, signal: AbortSignal): AsyncIterable<Entry> {
    for (let at = after; !signal.aborted;) {
      const page = this.#page.all(at) as unknown as Entry[];
      for (const entry of page) {
        if (signal.aborted) return;
        at = entry.position;
        yield entry;
      }
      if (page.length === 0) await this.#more(signal);
    }
  }

  last(): Promise<number> {
    const newest = this.#database.prepare("SELECT MAX(position) AS position FROM results").get();
    return Promise.resolve(Number(newest?.position ?? 0));
  }

  async #more(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#readers.add(resolve);
    const timer = setTimeout(resolve, LOOK_MS);
    const end = () => resolve();
    signal.addEventListener("abort", end, { once: true });
    await promise;
    signal.removeEventListener("abort", end);
    clearTimeout(timer);
    this.#readers.delete(resolve);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
