import type { MinerMetrics } from "../../../core/incentive/mod.ts";
import type { LedgerDatabase } from "./database.ts";
import { FAILED_CHECKS } from "./schema.ts";

/** What weighs how long, in milliseconds. */
export interface Windows {
  /** User requests that were served or failed, and similarities. */
  readonly service: number;
  /** A check that failed, on a synthetic and on a user's request. */
  readonly syntheticCheat: number;
  readonly userCheat: number;
}

const HOUR = 3_600_000;
export const DEFAULT_WINDOWS: Windows = {
  service: 24 * HOUR,
  syntheticCheat: 24 * HOUR,
  userCheat: 48 * HOUR,
};

/** What is shown next to the metrics. */
export interface Shown {
  readonly checks: number;
  /** The largest of the checked steps. */
  readonly velocityError: number;
  /** What it was caught at. */
  readonly why: string | undefined;
}

/** What the incentive of a miner is computed from, always derived from the rows. Unmeasured is NaN. */
export function metricsOf(
  database: LedgerDatabase,
  windows: Windows,
  hotkey: string,
): MinerMetrics & Shown {
  const since = database.now() - windows.service;
  const test = database.first(
    "SELECT rps, error_rate FROM tests WHERE hotkey = ? ORDER BY at DESC",
    hotkey,
  );
  const answers = database.first(
    "SELECT COALESCE(SUM(served), 0) AS served, COUNT(*) AS n FROM answers " +
      "WHERE hotkey = ? AND at > ?",
    ...[hotkey, since],
  );
  const checks = database.first(
    "SELECT AVG(similarity) AS similarity, MAX(error) AS error, COUNT(*) AS n FROM checks " +
      "WHERE hotkey = ? AND at > ?",
    ...[hotkey, since],
  );
  const caught = caughtAt(database, windows, hotkey);
  const served = Number(answers?.served);
  return {
    requestsPerSecond: numberOr(test?.rps),
    similarity: numberOr(checks?.similarity),
    errorRate: numberOr(test?.error_rate),
    ...{ served, failed: Number(answers?.n) - served },
    ...{ cheated: caught !== undefined, why: caught },
    checks: Number(checks?.n),
    velocityError: numberOr(checks?.error),
  };
}

/** The newest failed check that still weighs. */
function caughtAt(
  database: LedgerDatabase,
  { syntheticCheat, userCheat }: Windows,
  hotkey: string,
): string | undefined {
  const now = database.now();
  const row = database.first(
    `SELECT verdict, why FROM checks WHERE hotkey = ? AND ${FAILED_CHECKS} ` +
      "AND at > CASE source WHEN 'user' THEN ? ELSE ? END ORDER BY at DESC",
    ...[hotkey, now - userCheat, now - syntheticCheat],
  );
  return row && `${row.verdict}: ${row.why}`;
}

function numberOr(value: unknown): number {
  return typeof value === "number" ? value : NaN;
}
