import type { Score } from "../../../core/protocol/mod.ts";
import { type Drift, driftOf } from "../../../core/verifier/mod.ts";
import type { LedgerDatabase } from "./database.ts";

/** Checks of a miner that are judged together, and never swept. */
const JUDGED_CHECKS = 100;

/**
 * Each check's steps: their errors over their tolerances, and what they say against honesty, in nats.
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
    { id, hotkey, score: { ratios, drift } }: {
      readonly id: string;
      readonly hotkey: string;
      readonly score: Score;
    },
    at: number,
  ): void {
    if (!ratios || ratios.length === 0) return;
    this.#database.run(
      `INSERT OR ${how} INTO step_gains VALUES (?, ?, ?, ?, ?, ?)`,
      ...[
        id,
        hotkey,
        JSON.stringify(ratios),
        drift?.gain ?? null,
        drift?.backend ?? null,
        at,
      ],
    );
  }

  /** What the newest checks of a miner come to together. */
  driftOf(hotkey: string): Drift {
    const rows = this.#database.all(
      "SELECT gain FROM step_gains WHERE hotkey = ? AND gain IS NOT NULL " +
        `ORDER BY at DESC LIMIT ${JUDGED_CHECKS}`,
      hotkey,
    );
    return driftOf(rows.map(({ gain }) => Number(gain)).toReversed());
  }

  sweep(before: number): void {
    this.#database.run(
      "DELETE FROM step_gains WHERE at < ? AND at < (SELECT at FROM step_gains AS later " +
        `WHERE later.hotkey = step_gains.hotkey ORDER BY at DESC LIMIT 1 OFFSET ${JUDGED_CHECKS})`,
      before,
    );
  }
}
