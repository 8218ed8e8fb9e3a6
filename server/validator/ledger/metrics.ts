import type { MinerMetrics } from "../../../core/incentive/mod.ts";
import type { LedgerDatabase } from "./database.ts";
import { PrecisionLedger } from "./precision.ts";
import { FAILED_CHECKS } from "./schema.ts";

/** What weighs how long, in milliseconds. */
export interface Windows {
  /** User requests that were served or failed, and similarities. */
  readonly service: number;
  /** Tests of capacity: their mean counts. */
  readonly tests: number;
  /** A check that failed, on a synthetic and on a user's request. */
  readonly syntheticCheat: number;
  readonly userCheat: number;
}

const HOUR = 3_600_000;
export const DEFAULT_WINDOWS: Windows = {
  service: 24 * HOUR,
  tests: 6 * HOUR,
  syntheticCheat: 24 * HOUR,
  userCheat: 48 * HOUR,
};

/** What is shown next to the metrics. */
export interface Shown {
  readonly checks: number;
  /** Requests at once that it took in its tests; NaN where there was none. */
  readonly carried: number;
  /** The largest of the checked steps. */
  readonly velocityError: number;
  /** What it was caught at. */
  readonly why: string | undefined;
  /** Evidence, in [0, 1], that its checks together are further off than honest ones. */
  readonly drift: number;
  /** Checked more until newer checks are honest again. It is no proof, and takes no reward. */
  readonly drifting: boolean;
}

/** What the incentive of a miner is computed from, always derived from the rows. Unmeasured is NaN. */
export function metricsOf(
  database: LedgerDatabase,
  windows: Windows,
  hotkey: string,
): MinerMetrics & Shown {
  const since = database.now() - windows.service;
  const test = database.first(
    "SELECT AVG(rps) AS rps, AVG(error_rate) AS error_rate, AVG(carried) AS carried FROM windows " +
      "WHERE hotkey = ? AND at > ?",
    ...[hotkey, database.now() - windows.tests],
  );
  const service = serviceOf(database, hotkey, since);
  const checks = database.first(
    "SELECT AVG(similarity) AS similarity, MAX(error) AS error, COUNT(*) AS n FROM checks " +
      "WHERE hotkey = ? AND at > ?",
    ...[hotkey, since],
  );
  const caught = caughtAt(database, windows, hotkey);
  const { evidence: drift, drifting } = new PrecisionLedger(database).driftOf(hotkey);
  return {
    requestsPerSecond: numberOr(test?.rps),
    similarity: numberOr(checks?.similarity),
    errorRate: numberOr(test?.error_rate),
    ...service,
    ...{ cheated: caught !== undefined, why: caught },
    checks: Number(checks?.n),
    carried: numberOr(test?.carried),
    velocityError: numberOr(checks?.error),
    ...{ drift, drifting },
  };
}

/** How requests of users ended. */
function serviceOf(
  database: LedgerDatabase,
  hotkey: string,
  since: number,
): Pick<MinerMetrics, "served" | "failed" | "work"> {
  const rows = database.all(
    "SELECT outcome, COUNT(*) AS n, SUM(work) AS work FROM service " +
      "WHERE hotkey = ? AND at > ? GROUP BY outcome",
    ...[hotkey, since],
  );
  const of = (outcome: string) => {
    const row = rows.find((each) => each.outcome === outcome);
    return { n: Number(row?.n ?? 0), work: Number(row?.work ?? 0) };
  };
  const [served, failed, refused] = [of("served"), of("failed"), of("refused")];
  return {
    ...{ served: served.n, failed: failed.n },
    work: { served: served.work, failed: failed.work, refused: refused.work },
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
