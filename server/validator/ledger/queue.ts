import type { LedgerDatabase } from "./database.ts";
import { brief } from "./rows.ts";

/** Miners that should be tested before others, such as those that failed a user. */
export class StressQueue {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /** Keeps its place if it is there already. */
  add(hotkey: string, why: string): void {
    this.#database.run(
      "INSERT OR IGNORE INTO queue VALUES (?, ?, ?)",
      hotkey,
      brief(why),
      this.#database.now(),
    );
  }

  /** In the order in which they were added. */
  hotkeys(): string[] {
    return this.#database.all("SELECT hotkey FROM queue ORDER BY at, hotkey")
      .map(({ hotkey }) => String(hotkey));
  }

  /** What was added up to a moment is settled. */
  remove(hotkey: string, until: number): void {
    this.#database.run("DELETE FROM queue WHERE hotkey = ? AND at <= ?", hotkey, until);
  }

  sweep(before: number): void {
    this.#database.run("DELETE FROM queue WHERE at < ?", before);
  }
}
