import { WHOLE } from "../../core/content/mod.ts";
import { isSs58 } from "../../core/keys/mod.ts";
import type { Payouts } from "../payout/mod.ts";
import { Sql } from "../storage/mod.ts";
import type { EarnedShares } from "./earnings.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS periods (
    period TEXT PRIMARY KEY, at INTEGER NOT NULL, rao INTEGER NOT NULL, shares TEXT NOT NULL,
    credited INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS seen (
    day TEXT NOT NULL, who TEXT NOT NULL, PRIMARY KEY (day, who)
  ) STRICT, WITHOUT ROWID;
`;

/** A day that was closed: what it is worth, and who earned which part of it. */
export interface Period {
  /** The day that had ended: 2026-11-28, in UTC. */
  readonly period: string;
  /** rao for all creators together. */
  readonly rao: bigint;
  readonly creators: EarnedShares["creators"];
}

export interface PeriodsParts {
  readonly earned: () => EarnedShares;
  /** rao a day, for all creators together: those with a hotkey too, whose parts stay here. */
  readonly rao: bigint;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * Days, each closed once by the numbers that weights are set by: kept before anything is credited, so
 * that a crash changes no share, and credited by names that the ledger takes once.
 */
export class Periods implements Disposable {
  readonly #sql: Sql;
  readonly #parts: PeriodsParts;

  /** @throws AppError `storage_failed`. */
  constructor(path: string, parts: PeriodsParts) {
    this.#sql = new Sql(path, SCHEMA, { durable: true });
    this.#parts = parts;
  }

  /**
   * Who has a hotkey on the subnet at this moment, and is paid by its weights: to be told again and again, so
   * that who leaves it before a day ends is not paid for the day once more.
   */
  seen(onChain: Iterable<string>): void {
    this.#sql.run(
      "INSERT OR IGNORE INTO seen SELECT ?, value FROM json_each(?)",
      ...[dayOf(this.#parts.now()), JSON.stringify([...new Set(onChain)])],
    );
  }

  /**
   * Closes the day that ended, unless it is closed. Days on which this did not run are none. Who was seen
   * on the chain on that day, or since, gets nothing here.
   */
  close(): void {
    const { earned, rao, now } = this.#parts;
    const period = dayOf(now() - DAY_MS);
    if (this.#sql.first("SELECT 1 FROM periods WHERE period = ?", period)) return;
    const seen = this.#sql.all("SELECT who FROM seen WHERE day >= ?", period);
    const onChain = new Set(seen.map(({ who }) => who));
    const { at, creators } = earned();
    const shares = creators.filter(({ creator }) => !onChain.has(creator));
    this.#sql.atomically(() => {
      this.#sql.run(
        "INSERT OR IGNORE INTO periods VALUES (?, ?, ?, ?, 0)",
        ...[period, at, rao, JSON.stringify(shares)],
      );
      this.#sql.run("DELETE FROM seen WHERE day <= ?", period);
    });
  }

  /** Those whose shares may not be in the ledger yet. */
  waiting(): Period[] {
    return this.#sql.all("SELECT * FROM periods WHERE credited = 0 ORDER BY period").map((row) => ({
      ...{ period: String(row.period), rao: BigInt(row.rao as number) },
      creators: JSON.parse(String(row.shares)),
    }));
  }

  /**
   * Puts what waits into the ledger; done again after a crash, it adds nothing. Who is known by an address
   * is paid there, unless the operator said where.
   * @returns rao.
   */
  credit(payouts: Pick<Payouts, "earn" | "hasAddress" | "register">): bigint {
    let sum = 0n;
    for (const { period, rao, creators } of this.waiting()) {
      for (const { creator, share } of creators) {
        const part = rao * BigInt(share) / WHOLE;
        if (isSs58(creator) && !payouts.hasAddress(creator)) {
          payouts.register(creator, creator, "content");
        }
        if (part > 0n && payouts.earn(creator, part, `content ${period}`)) sum += part;
      }
      this.#sql.run("UPDATE periods SET credited = 1 WHERE period = ?", period);
    }
    return sum;
  }

  [Symbol.dispose](): void {
    this.#sql[Symbol.dispose]();
  }
}

/** 2026-11-28, in UTC. */
function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
