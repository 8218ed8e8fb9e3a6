import type { Score } from "../../../core/protocol/mod.ts";
import { type Drift, driftOf } from "../../../core/verifier/mod.ts";
import type { LedgerDatabase } from "./database.ts";

/** Checks of a miner that are judged together, and never swept. */
const JUDGED_CHECKS = 100;

/**
 * Each check's steps: their errors over their tolerances, and how far the check is above honest ones.
 * A table of its own, so that a ledger of before gets it as well.
 */
export class PrecisionLedger {
  readonly #database: LedgerDatabase;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /** @param at milliseconds since 1970. */
  put(
    how: "IGNORE" | "REPLACE",
    { id, hotkey, score: { ratios, deviation } }: {
      readonly id: string;
      readonly hotkey: string;
      readonly score: Score;
    },
    at: number,
  ): void {
    if (!ratios || ratios.length === 0) return;
    this.#database.run(
      `INSERT OR ${how} INTO check_steps VALUES (?, ?, ?, ?, ?, ?)`,
      ...[
        id,
        hotkey,
        JSON.stringify(ratios),
        deviation?.sd ?? null,
        deviation?.backend ?? null,
        at,
      ],
    );
  }

  /** What the newest checks of a miner come to together. */
  driftOf(hotkey: string): Drift {
    const rows = this.#database.all(
      "SELECT deviation FROM check_steps WHERE hotkey = ? AND deviation IS NOT NULL " +
        `ORDER BY at DESC LIMIT ${JUDGED_CHECKS}`,
      hotkey,
    );
    return driftOf(rows.map(({ deviation }) => Number(deviation)).toReversed());
  }

  sweep(before: number): void {
    this.#database.run(
      "DELETE FROM check_steps WHERE at < ? AND at < (SELECT at FROM check_steps AS later " +
        `WHERE later.hotkey = check_steps.hotkey ORDER BY at DESC LIMIT 1 OFFSET ${JUDGED_CHECKS})`,
      before,
    );
  }
}
