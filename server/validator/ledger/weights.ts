import type { LedgerDatabase } from "./database.ts";
import type { MeasuredOf } from "./measured.ts";

/** Weights as they were emitted to the chain. */
export interface SetWeights {
  readonly block: number;
  readonly uids: readonly number[];
  /** u16 */
  readonly weights: readonly number[];
}

/** Weights that were set, by block. */
export class WeightLedger {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  add({ block, uids, weights }: SetWeights): void {
    const measured = { kind: "weights", block, uids, weights, at: this.#database.now() } as const;
    this.#database.record(measured, () => this.replace(measured));
  }

  /** As the log of all processes has it. */
  replace({ block, uids, weights, at }: MeasuredOf<"weights">): void {
    this.#database.run(
      "INSERT OR REPLACE INTO weights VALUES (?, ?, ?, ?)",
      ...[block, JSON.stringify(uids), JSON.stringify(weights), at],
    );
  }

  /** The newest. */
  last(): SetWeights | undefined {
    const row = this.#database.first("SELECT * FROM weights ORDER BY at DESC, block DESC");
    return row && {
      block: Number(row.block),
      uids: JSON.parse(String(row.uids)),
      weights: JSON.parse(String(row.weights)),
    };
  }

  /** The newest stay. */
  sweep(before: number): void {
    this.#database.run(
      "DELETE FROM weights WHERE at < ? AND at < (SELECT MAX(at) FROM weights)",
      before,
    );
  }
}
