import type { LedgerDatabase } from "./database.ts";
import type { MeasuredOf } from "./measured.ts";

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
    const hotkey = String(made.hotkey);
    const measured = { kind: "doubt", hotkey, at: this.#database.now() } as const;
    this.#database.record(measured, () => this.replace(measured));
    return hotkey;
  }

  /** As the log of all processes has it. */
  replace({ hotkey, at }: MeasuredOf<"doubt">): void {
    this.#database.run(
      "INSERT INTO doubts VALUES (?, ?) ON CONFLICT DO UPDATE SET at = MAX(at, excluded.at)",
      ...[hotkey, at],
    );
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
