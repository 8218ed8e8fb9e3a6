import type { LedgerDatabase } from "./database.ts";

/** Merkle roots of receipts that came: no two runs of different requests have the same. */
export class RootLedger {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /** @returns whether this is the first receipt that has it. */
  add(root: string): boolean {
    return this.#database.run(
      "INSERT OR IGNORE INTO roots VALUES (?, ?)",
      ...[root, this.#database.now()],
    ) > 0;
  }

  sweep(before: number): void {
    this.#database.run("DELETE FROM roots WHERE at < ?", before);
  }
}
