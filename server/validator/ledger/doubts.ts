import type { LedgerDatabase } from "./database.ts";

/** Whose receipts others called suspect: each such miner is checked again. */
export class DoubtLedger {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /** Remembers who made an image. @param receipt `receiptId`. */
  made(receipt: string, hotkey: string): void {
    this.#database.run(
      "INSERT OR IGNORE INTO makers VALUES (?, ?, ?)",
      ...[receipt, hotkey, this.#database.now()],
    );
  }

  /** @returns the miner that is in doubt; undefined where the receipt is none that was got here. */
  raise(receipt: string): string | undefined {
    const made = this.#database.first("SELECT hotkey FROM makers WHERE receipt = ?", receipt);
    if (!made) return undefined;
    this.#database.run(
      "INSERT INTO doubts VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
      ...[String(made.hotkey), this.#database.now()],
    );
    return String(made.hotkey);
  }

  /** Until a check is made that is newer than the doubt. */
  isOpen(hotkey: string): boolean {
    return this.#database.first(
      "SELECT 1 FROM doubts WHERE hotkey = ? AND " +
        "at >= (SELECT COALESCE(MAX(at), 0) FROM checks WHERE checks.hotkey = doubts.hotkey)",
      hotkey,
    ) !== undefined;
  }

  sweep(before: number): void {
    for (const table of ["makers", "doubts"]) {
      this.#database.run(`DELETE FROM ${table} WHERE at < ?`, before);
    }
  }
}
