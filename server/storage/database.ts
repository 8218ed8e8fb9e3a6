import { DatabaseSync } from "node:sqlite";

/** Milliseconds that a statement waits for another process that writes. */
const BUSY_MS = 5000;

/**
 * Opens an SQLite file. What was committed survives `kill -9`; two processes may use it at once.
 * @param path `:memory:` keeps nothing after the process.
 * @param schema statements that may have run before.
 */
export function openDatabase(path: string, schema: string): DatabaseSync {
  const database = new DatabaseSync(path);
  // The timeout first: the change to WAL may have to wait already.
  database.exec(`
    PRAGMA busy_timeout = ${BUSY_MS};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    ${schema}
  `);
  return database;
}
