import type { LedgerDatabase } from "./database.ts";
import type { MeasuredOf } from "./measured.ts";

/** Public receipts. */
export class PublishedReceipts {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /** @param keep how many are kept. */
  add(id: string, entry: unknown, keep: number): void {
    const measured = { kind: "receipt", id, entry, keep, at: this.#database.now() } as const;
    this.#database.record(measured, () => this.replace(measured));
  }

  /** As the log of all processes has it. */
  replace({ id, entry, keep, at }: MeasuredOf<"receipt">): void {
    this.#database.atomically(() => {
      this.#database.run(
        "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?)",
        ...[id, JSON.stringify(entry), at],
      );
      this.#database.run(
        "DELETE FROM receipts WHERE id NOT IN (SELECT id FROM receipts ORDER BY at DESC LIMIT ?)",
        keep,
      );
    });
  }

  /** The newest first. */
  list(max: number): unknown[] {
    return this.#database.all("SELECT entry FROM receipts ORDER BY at DESC LIMIT ?", max)
      .map(({ entry }) => JSON.parse(String(entry)));
  }
}
