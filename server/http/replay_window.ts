import type { DatabaseSync, StatementSync } from "node:sqlite";
import { AppError } from "../../core/error.ts";
import { MAX_CLOCK_LEAD, MAX_REQUEST_AGE, type SignedHeaders } from "../../core/protocol/mod.ts";
import { openDatabase } from "../storage/mod.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS used
    (signer TEXT, uuid TEXT, timestamp INTEGER NOT NULL, PRIMARY KEY (signer, uuid)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS by_time ON used (timestamp);
`;
/** Uses between two clean-ups. */
const SWEEP_EVERY = 1000;

/** Requests that were used, on disk: none is taken twice, also after a restart. */
export class ReplayWindow implements Disposable {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  #uses = 0;

  /** @param path of an SQLite file; `:memory:` keeps nothing after the process. */
  constructor(path: string) {
    this.#database = openDatabase(path, SCHEMA);
    this.#insert = this.#database.prepare("INSERT OR IGNORE INTO used VALUES (?, ?, ?)");
  }

  /**
   * Marks a request as used. Call it only for requests whose signature holds: otherwise anybody could use up
   * another caller's uuid.
   * @throws AppError `request_replayed`.
   */
  use({ signedBy, uuid, timestamp }: SignedHeaders, now: number): void {
    if (this.#uses++ % SWEEP_EVERY === 0) this.#sweep(now);
    const { changes } = this.#insert.run(signedBy, uuid, timestamp);
    if (changes > 0) return;
    throw new AppError(
      "request_replayed",
      `Cannot take the request: its uuid ${uuid} was used before`,
    );
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** Requests too old to be taken need not be remembered. */
  #sweep(now: number): void {
    this.#database.prepare("DELETE FROM used WHERE timestamp < ?")
      .run(now - MAX_REQUEST_AGE - MAX_CLOCK_LEAD);
  }
}
