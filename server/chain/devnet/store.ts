import type { DatabaseSync } from "node:sqlite";
import { AppError, reason } from "../../../core/error.ts";
import { openDatabase } from "../../storage/mod.ts";
import { KEPT_BLOCKS } from "./state.ts";

/** A block as it is kept. Hashes and bytes in hex. */
export interface KeptBlock {
  readonly number: number;
  readonly hash: string;
  readonly header: string;
  readonly extrinsics: readonly string[];
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS blocks
    (number INTEGER PRIMARY KEY, hash TEXT NOT NULL, header TEXT NOT NULL, extrinsics TEXT NOT NULL);
`;

/** The chain on disk, or in memory: a block and all that it changed are written together. */
export class Store implements Disposable {
  readonly #database: DatabaseSync;

  /** @param path of a file; `:memory:` for none. @throws AppError `storage_failed`. */
  constructor(path: string) {
    try {
      this.#database = openDatabase(path, SCHEMA);
    } catch (cause) {
      throw new AppError(
        "storage_failed",
        `Cannot open the devnet's state: ${path} is no database of one (${reason(cause)})`,
        { cause },
      );
    }
  }

  /** The state after the newest block. */
  entries(): [string, string][] {
    return this.#database.prepare("SELECT key, value FROM state").all()
      .map(({ key, value }) => [String(key), String(value)]);
  }

  /** The first block and the newest ones, oldest first. */
  blocks(): KeptBlock[] {
    return this.#database.prepare("SELECT * FROM blocks ORDER BY number").all()
      .map(({ number, hash, header, extrinsics }) => ({
        number: Number(number),
        hash: String(hash),
        header: String(header),
        extrinsics: JSON.parse(String(extrinsics)),
      }));
  }

  write(block: KeptBlock, changes: ReadonlyMap<string, string | undefined>): void {
    this.#database.exec("BEGIN");
    try {
      const put = this.#database.prepare("INSERT OR REPLACE INTO state VALUES (?, ?)");
      const drop = this.#database.prepare("DELETE FROM state WHERE key = ?");
      for (const [key, value] of changes) {
        if (value === undefined) drop.run(key);
        else put.run(key, value);
      }
      this.#database.prepare("INSERT INTO blocks VALUES (?, ?, ?, ?)")
        .run(block.number, block.hash, block.header, JSON.stringify(block.extrinsics));
      this.#database.prepare("DELETE FROM blocks WHERE number > 0 AND number <= ?")
        .run(block.number - KEPT_BLOCKS);
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
