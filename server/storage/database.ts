import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { AppError, reason } from "../../core/error.ts";

/** Milliseconds that a statement waits for another process that writes. */
const BUSY_MS = 5000;

/** Of a file that is made here, and of the journals that SQLite puts beside it. */
export const PRIVATE_FILE = 0o600;

export interface DatabaseOptions {
  readonly durable?: boolean;
}

/**
 * Opens an SQLite file. What was committed survives `kill -9`; two processes may use it at once.
 * @param durable whether it survives a power cut too: each commit then waits for the disk.
 * @param path `:memory:` keeps nothing after the process.
 * @param schema statements that may have run before.
 * @throws AppError `storage_failed` for a file that is damaged or cannot be written.
 */
export function openDatabase(
  path: string,
  schema: string,
  { durable = false }: DatabaseOptions = {},
): DatabaseSync {
  try {
    if (path !== ":memory:") closeSync(openSync(path, "a", PRIVATE_FILE));
    return opened(path, schema, durable ? "FULL" : "NORMAL");
  } catch (cause) {
    throw new AppError(
      "storage_failed",
      `Cannot open ${path}: ${reason(cause)}. Free some space and allow writing there; a file ` +
        "that is damaged has to be moved away, and what it held is begun anew",
      { cause },
    );
  }
}

function opened(path: string, schema: string, synchronous: string): DatabaseSync {
  const database = new DatabaseSync(path);
  // The timeout first: the change to WAL may have to wait already.
  database.exec(`
    PRAGMA busy_timeout = ${BUSY_MS};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${synchronous};
    BEGIN;
    ${schema};
    COMMIT;
  `);
  return database;
}
