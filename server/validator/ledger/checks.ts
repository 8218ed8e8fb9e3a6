import {
  type InputFiles,
  NO_INPUTS,
  type Score,
  type ScoreCall,
} from "../../../core/protocol/mod.ts";
import { receiptFromJson, type Witness } from "../../../core/transcript/mod.ts";
import type { LedgerDatabase } from "./database.ts";
import { measuredCheck, type MeasuredOf, whyOf } from "./measured.ts";
import type { PrecisionLedger } from "./precision.ts";
import type { UserResults } from "./results.ts";

/** Whose request a result is of. */
export type Source = "user" | "synthetic";

/** A check that has to be made, or made again after a restart. */
export interface PendingCheck extends ScoreCall {
  /** Of the request. */
  readonly id: string;
  readonly hotkey: string;
  /** That was asked for, in images of the model's default. */
  readonly work: number;
  /** What this validator signed when the receipt came. */
  readonly witness?: Witness;
}

/** An answer that was checked. */
export interface Checked {
  /** Of the request. */
  readonly id: string;
  readonly hotkey: string;
  readonly source: Source;
  readonly score: Score;
}

/** What a user asked for, and got or not. */
interface AskedWork {
  /** In images of the model's default. */
  readonly work: number;
  /** Whether the user has this miner's image, and not a quicker one's. */
  readonly taken: boolean;
}

const TAKEN: AskedWork = { work: 1, taken: true };

/** Checks of a miner that are never swept: it is not new again tomorrow. */
const REMEMBERED_CHECKS = 10;

/** Checks of answers: those to be made, and what they came to. */
export class CheckLedger {
  readonly #database: LedgerDatabase;
  readonly #results: UserResults;
  readonly #precision: PrecisionLedger;

  constructor(database: LedgerDatabase, results: UserResults, precision: PrecisionLedger) {
    this.#database = database;
    this.#results = results;
    this.#precision = precision;
  }

  /**
   * An answer to a user will be checked: remembered until {@link settle}, with the files that its request
   * names, so that the miner need not be asked for them.
   */
  await({ id, hotkey, ...evidence }: PendingCheck, inputs = NO_INPUTS): void {
    this.#database.atomically(() => {
      this.#database.run(
        "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?)",
        ...[id, hotkey, JSON.stringify(evidence), this.#database.now()],
      );
      for (const [sha256, file] of inputs) {
        this.#database.run(
          "INSERT OR IGNORE INTO pending_inputs VALUES (?, ?, ?)",
          id,
          sha256,
          file,
        );
      }
    });
  }

  /** Checks that were begun and not settled, the oldest first. */
  pending(): PendingCheck[] {
    const rows = this.#database.all("SELECT id, hotkey, evidence FROM pending ORDER BY at");
    return rows.map(({ id, hotkey, evidence }) => {
      const { receipt, url, token, work = 1, witness } = JSON.parse(String(evidence));
      return {
        ...{ id: String(id), hotkey: String(hotkey), url, token, work },
        receipt: receiptFromJson(receipt),
        ...(witness && { witness }),
      };
    });
  }

  /** The files of a request whose check was begun. */
  inputsOf(id: string): InputFiles {
    const rows = this.#database.all("SELECT sha256, file FROM pending_inputs WHERE id = ?", id);
    return new Map(
      rows.map(({ sha256, file }) => [String(sha256), new Uint8Array(file as Uint8Array)]),
    );
  }

  /**
   * A check's outcome; a user's answer is served or failed by it.
   * @param asked what the user asked for.
   * @returns false if known.
   */
  settle({ id, hotkey, source, score }: Checked, asked: AskedWork = TAKEN): boolean {
    return this.#database.atomically(() => {
      // Of a scorer it may be known already what came of it, and not yet whether its user has the image.
      const waited = this.#isMade(id, hotkey);
      if (!this.record({ id, hotkey, source, score }) && !waited) return false;
      if (source === "synthetic") return true;
      const { work, taken } = asked;
      if (score.verdict !== "honest") {
        this.#results.failed(id, hotkey, whyOf(score), work);
      } else if (taken) this.#results.served(id, hotkey, work);
      return true;
    });
  }

  /** The steps can no longer be opened, by our own fault: the answer counts as served. */
  excuse(id: string, hotkey: string, work = 1): void {
    this.#database.atomically(() => {
      this.#isMade(id, hotkey);
      this.#results.served(id, hotkey, work);
    });
  }

  /** @param at milliseconds since 1970. @returns whether it was new. */
  record(checked: Checked, at = this.#database.now()): boolean {
    const measured = measuredCheck(checked, at);
    return this.#database.record(measured, () => this.#put("IGNORE", measured));
  }

  /** As the log of all processes has it. */
  replace(measured: MeasuredOf<"check">): void {
    this.#put("REPLACE", measured);
  }

  #put(
    how: "IGNORE" | "REPLACE",
    { id, hotkey, source, score, at }: MeasuredOf<"check">,
  ): boolean {
    const { verdict, similarity, velocityError, worst, reasons: [why = null] } = score;
    this.#database.changed(hotkey);
    this.#precision.put(how, { id, hotkey, score }, at);
    return this.#database.run(
      `INSERT OR ${how} INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, hotkey, source, verdict, similarity, velocityError, worst, why, at],
    ) > 0;
  }

  /** How many answers of a miner were ever checked, as far as it is remembered. */
  count(hotkey: string): number {
    return Number(
      this.#database.first("SELECT COUNT(*) AS n FROM checks WHERE hotkey = ?", hotkey)?.n,
    );
  }

  sweep(before: number): void {
    this.#database.run(
      "DELETE FROM checks WHERE at < ? AND (SELECT COUNT(*) FROM checks AS later " +
        `WHERE later.hotkey = checks.hotkey AND later.at > checks.at) >= ${REMEMBERED_CHECKS}`,
      before,
    );
  }

  /** @returns whether it was waited for here. */
  #isMade(id: string, hotkey: string): boolean {
    const waited = this.#database.run(
      "DELETE FROM pending WHERE id = ? AND hotkey = ?",
      id,
      hotkey,
    ) > 0;
    this.#database.run(
      "DELETE FROM pending_inputs WHERE id = ? AND id NOT IN (SELECT id FROM pending)",
      id,
    );
    return waited;
  }
}
