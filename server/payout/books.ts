import type { DatabaseSync } from "node:sqlite";
import { AppError } from "../../core/error.ts";
import { openDatabase } from "../storage/mod.ts";

/** One side of a booking; a booking's sides sum to 0. */
export interface Side {
  /** `creator:<name>`, or one of {@link ACCOUNTS}. */
  readonly account: string;
  /** rao: above 0 where the account gets it. */
  readonly rao: bigint;
}

/** Accounts of our own: what was earned comes from `rewards`, and goes by `transit` to `paid`. */
export const ACCOUNTS = { rewards: "rewards", transit: "transit", paid: "paid" } as const;

/** Bookings, sides and the trail are written once: SQLite itself refuses to change them. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS bookings (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sides (
    booking INTEGER NOT NULL REFERENCES bookings, account TEXT NOT NULL, rao INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS sides_by_account ON sides (account);
  CREATE TABLE IF NOT EXISTS creators (name TEXT PRIMARY KEY, address TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY, creator TEXT NOT NULL, address TEXT NOT NULL, rao INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('approved', 'sending', 'paid', 'refused')),
    batch INTEGER REFERENCES batches
  ) STRICT;
  CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, signed TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('sending', 'paid', 'refused', 'void')), block INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS one_open_batch ON batches (state) WHERE state = 'sending';
  CREATE TABLE IF NOT EXISTS trail (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL
  ) STRICT;
  ${
  ["bookings", "sides", "trail"].flatMap((table) =>
    ["UPDATE", "DELETE"].map((change) =>
      `CREATE TRIGGER IF NOT EXISTS no_${change}_of_${table} BEFORE ${change} ON ${table}
       BEGIN SELECT RAISE(ABORT, 'what is booked stays'); END;`
    )
  ).join("\n")
}
`;

/** A double-entry ledger in whole rao: money moves from account to account, and none is made. */
export class Books implements Disposable {
  readonly database: DatabaseSync;
  readonly #now: () => number;

  /** @param now milliseconds since 1970. @throws AppError `storage_failed`. */
  constructor(path: string, now: () => number = Date.now) {
    this.database = openDatabase(path, SCHEMA);
    // An intent must be on the disk before what it says is done, a power failure included.
    this.database.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    this.#now = now;
  }

  /** Runs all of `change` or nothing of it. */
  atomically<T>(change: () => T): T {
    this.database.exec("BEGIN IMMEDIATE");
    try {
      const result = change();
      this.database.exec("COMMIT");
      return result;
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * Books once: a second booking of the same name is left out. Within {@link atomically}.
   * @param what names it, such as `epoch 7: mara`.
   * @returns whether it is new.
   * @throws AppError `invalid_request` for sides that do not sum to 0.
   */
  book(what: string, sides: readonly Side[]): boolean {
    const sum = sides.reduce((total, { rao }) => total + rao, 0n);
    if (sum !== 0n) {
      throw new AppError("invalid_request", `Cannot book "${what}": its sides sum to ${sum} rao`);
    }
    if (this.#rows("SELECT 1 FROM bookings WHERE what = ?", what).length) return false;
    const { lastInsertRowid } = this.database
      .prepare("INSERT INTO bookings (at, what) VALUES (?, ?)").run(this.#now(), what);
    const insert = this.database.prepare("INSERT INTO sides VALUES (?, ?, ?)");
    for (const { account, rao } of sides) insert.run(lastInsertRowid, account, rao);
    return true;
  }

  /** rao that an account holds. */
  balance(account: string): bigint {
    const [row] = this.#rows(
      "SELECT coalesce(sum(rao), 0) AS rao FROM sides WHERE account = ?",
      account,
    );
    return BigInt(row.rao as bigint);
  }

  /** Who did what: for auditors. Within {@link atomically}. */
  note(who: string, what: string): void {
    this.database.prepare("INSERT INTO trail (at, who, what) VALUES (?, ?, ?)")
      .run(this.#now(), who, what);
  }

  /** Of every account. */
  balances(): ReadonlyMap<string, bigint> {
    const rows = this.#rows("SELECT account, sum(rao) AS rao FROM sides GROUP BY account");
    return new Map(rows.map(({ account, rao }) => [String(account), BigInt(rao as bigint)]));
  }

  /** Rows with whole numbers as bigint: rao go beyond 2^53. */
  #rows(sql: string, ...values: (string | number | bigint)[]) {
    return rowsOf(this.database, sql, ...values);
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}

export type Row = Readonly<Record<string, string | number | bigint | null | Uint8Array>>;

export function rowsOf(
  database: DatabaseSync,
  sql: string,
  ...values: (string | number | bigint)[]
): Row[] {
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  return statement.all(...values) as Row[];
}
