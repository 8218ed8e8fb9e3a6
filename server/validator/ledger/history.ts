import type { LedgerDatabase } from "./database.ts";
import { FAILED_CHECKS } from "./schema.ts";
import type { SetWeights } from "./weights.ts";

/** A subnet's last days, as a validator measured them. Times are milliseconds since 1970. */
export interface History {
  /** The oldest first; hours in which nothing happened are left out. */
  readonly hours: readonly HistoryHour[];
  /** What was set, the oldest first. */
  readonly weights: readonly (SetWeights & { readonly at: number })[];
}

export interface HistoryHour {
  /** When it began. */
  readonly at: number;
  /** Images that users got. */
  readonly images: number;
  readonly checks: number;
  /** Of these. */
  readonly failedChecks: number;
  /** Mean cosine of what was checked; null where nothing was. */
  readonly similarity: number | null;
}

const HOUR = 3_600_000;
/** Hours that are told of, and sets of weights. */
const HOURS = 48;
const WEIGHTS = 60;

export function historyOf(database: LedgerDatabase): History {
  const since = database.now() - HOURS * HOUR;
  const [served, checked] = [servedByHour(database, since), checksByHour(database, since)];
  const hours = [...new Set([...served.keys(), ...checked.keys()])].sort((a, b) => a - b);
  return {
    hours: hours.map((hour) => ({
      ...{ at: hour * HOUR, images: served.get(hour) ?? 0 },
      ...checked.get(hour) ?? { checks: 0, failedChecks: 0, similarity: null },
    })),
    weights: lastWeights(database),
  };
}

function servedByHour(database: LedgerDatabase, since: number): Map<number, number> {
  const rows = database.all(
    `SELECT at / ${HOUR} AS hour, COUNT(*) AS n FROM service WHERE at > ? AND outcome = 'served' ` +
      "GROUP BY hour",
    since,
  );
  return new Map(rows.map(({ hour, n }) => [Number(hour), Number(n)]));
}

function checksByHour(
  database: LedgerDatabase,
  since: number,
): Map<number, Omit<HistoryHour, "at" | "images">> {
  const rows = database.all(
    `SELECT at / ${HOUR} AS hour, COUNT(*) AS n, AVG(similarity) AS similarity, ` +
      `SUM(${FAILED_CHECKS}) AS failed FROM checks WHERE at > ? GROUP BY hour`,
    since,
  );
  return new Map(rows.map(({ hour, n, similarity, failed }) => [Number(hour), {
    ...{ checks: Number(n), failedChecks: Number(failed) },
    similarity: typeof similarity === "number" ? similarity : null,
  }]));
}

function lastWeights(database: LedgerDatabase): History["weights"] {
  const rows = database.all("SELECT * FROM weights ORDER BY at DESC, block DESC LIMIT ?", WEIGHTS);
  return rows.reverse().map(({ block, uids, weights, at }) => ({
    ...{ block: Number(block), at: Number(at) },
    ...{ uids: JSON.parse(String(uids)), weights: JSON.parse(String(weights)) },
  }));
}
