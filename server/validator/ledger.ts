import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MinerMetrics } from "../../core/incentive/mod.ts";
import type { Results, Score, ScoreCall, SignedAttestation } from "../../core/protocol/mod.ts";
import { receiptFromJson } from "../../core/transcript/mod.ts";
import { openDatabase } from "../storage/mod.ts";
import { answerOf, brief, checkOf, testOf } from "./ledger_rows.ts";

/** Whose request a result is of. */
export type Source = "user" | "synthetic";

/** How a miner bore a doubled load. */
export interface LoadTest {
  /** Unique. */
  readonly id: string;
  readonly requestsPerSecond: number;
  readonly errorRate: number;
  /** All that were sent. */
  readonly requests: number;
}

/** A check that has to be made, or made again after a restart. */
export interface PendingCheck extends ScoreCall {
  /** Of the request. */
  readonly id: string;
  readonly hotkey: string;
}

/** An answer that was checked. */
export interface Checked {
  /** Of the request. */
  readonly id: string;
  readonly hotkey: string;
  readonly source: Source;
  readonly score: Score;
}

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

const FAILED_CHECKS = `verdict IN ('suspect', 'invalid')`;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS answers
    (id TEXT, hotkey TEXT, served INTEGER NOT NULL, why TEXT, at INTEGER NOT NULL,
     PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS answers_of ON answers (hotkey, at, served);
  CREATE TABLE IF NOT EXISTS checks
    (id TEXT, hotkey TEXT, source TEXT NOT NULL, verdict TEXT NOT NULL, similarity REAL NOT NULL,
     error REAL, worst REAL, why TEXT, at INTEGER NOT NULL,
     PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS checks_of ON checks (hotkey, at, similarity, error);
  CREATE INDEX IF NOT EXISTS failed_checks_of ON checks (hotkey, at)
    WHERE ${FAILED_CHECKS};
  CREATE TABLE IF NOT EXISTS tests
    (id TEXT PRIMARY KEY, hotkey TEXT NOT NULL, rps REAL NOT NULL, error_rate REAL NOT NULL,
     requests INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tests_of ON tests (hotkey, at);
  CREATE TABLE IF NOT EXISTS queue
    (hotkey TEXT PRIMARY KEY, why TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pending
    (id TEXT, hotkey TEXT, evidence TEXT NOT NULL, at INTEGER NOT NULL,
     PRIMARY KEY (id, hotkey)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS weights
    (block INTEGER PRIMARY KEY, uids TEXT NOT NULL, weights TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS attestations
    (receipt TEXT, checker TEXT, entry TEXT NOT NULL, at INTEGER NOT NULL,
     PRIMARY KEY (receipt, checker)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS receipts
    (id TEXT PRIMARY KEY, entry TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
`;

/**
 * All that a validator has measured, in SQLite. Each result is a row under its own key and settled
 * in one transaction, so that a crash loses none and counts none twice; what a miner is worth is
 * always derived from the rows.
 */
export class Ledger implements Disposable {
  readonly #db: DatabaseSync;
  readonly #clock: () => number;
  readonly #windows: Windows;
  readonly #queries = new Map<string, StatementSync>();

  /** @param path of an SQLite file. */
  constructor(path: string, clock: () => number = Date.now, windows: Windows = DEFAULT_WINDOWS) {
    this.#db = openDatabase(path, SCHEMA);
    this.#clock = clock;
    this.#windows = windows;
  }

  /** A user's request was answered with a good image. @returns false if that was known. */
  served(id: string, hotkey: string): boolean {
    return this.#answer(id, hotkey, true, null);
  }

  /** A user's request was not. Puts the miner on the stress queue. */
  failed(id: string, hotkey: string, why: string): boolean {
    return this.#together(() => {
      if (!this.#answer(id, hotkey, false, why)) return false;
      this.enqueue(hotkey, why);
      return true;
    });
  }

  /** An answer to a user will be checked: remembered until {@link settle}. */
  await({ id, hotkey, receipt, url, token }: PendingCheck): void {
    this.#db.prepare("INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?)")
      .run(id, hotkey, JSON.stringify({ receipt, url, token }), this.#clock());
  }

  /** Checks that were begun and not settled. */
  pending(): PendingCheck[] {
    const rows = this.#db.prepare("SELECT id, hotkey, evidence FROM pending ORDER BY at").all();
    return rows.map(({ id, hotkey, evidence }) => {
      const { receipt, url, token } = JSON.parse(String(evidence));
      return {
        id: String(id),
        hotkey: String(hotkey),
        receipt: receiptFromJson(receipt),
        url,
        token,
      };
    });
  }

  /** The check is in vain: the steps can no longer be opened, and that is our own doing. */
  excuse(id: string, hotkey: string): void {
    this.#together(() => {
      this.#checked(id, hotkey);
      this.served(id, hotkey);
    });
  }

  /** A check's outcome; a user's answer is served or failed by it. @returns false if known. */
  settle({ id, hotkey, source, score }: Checked): boolean {
    return this.#together(() => {
      this.#checked(id, hotkey);
      if (!this.#addCheck({ id, hotkey, source, score }, this.#clock())) return false;
      if (source === "synthetic") return true;
      if (score.verdict === "honest") this.served(id, hotkey);
      else this.failed(id, hotkey, score.reasons[0] ?? score.verdict);
      return true;
    });
  }

  /** A test and the checks of its samples, all or nothing. Takes the miner off the queue. */
  addTest(hotkey: string, test: LoadTest, checks: readonly Checked[]): boolean {
    return this.#together(() => {
      if (!this.#addTest(hotkey, test, this.#clock())) return false;
      for (const check of checks) this.settle(check);
      return true;
    });
  }

  /**
   * What was measured since a moment, here or by the other half, no more than so many of a kind.
   * @param since milliseconds since 1970.
   */
  results(since: number, most: number): Results {
    const read = (table: string) =>
      this.#db.prepare(`SELECT * FROM ${table} WHERE at >= ? ORDER BY at LIMIT ?`).all(since, most);
    const rows = [read("answers"), read("checks"), read("tests")];
    const [answers, checks, tests] = rows;
    const newest = rows.map((kind) => Number(kind.at(-1)?.at ?? since));
    const cut = newest.filter((_, k) => rows[k].length === most);
    return {
      answers: answers.map(answerOf),
      checks: checks.map(checkOf),
      tests: tests.map(testOf),
      next: cut.length > 0 ? Math.min(...cut) : Math.max(...newest),
    };
  }

  /** Takes over what the other half measured; what is known already stays as it is. */
  merge({ answers, checks, tests }: Results): void {
    this.#together(() => {
      for (const { id, hotkey, served, why, at } of answers) {
        const isNew = this.#answer(id, hotkey, served, why, at);
        if (isNew && !served) this.enqueue(hotkey, why ?? "failed a user");
      }
      for (const { at, ...check } of checks) this.#addCheck(check, at);
      for (const { at, hotkey, ...test } of tests) this.#addTest(hotkey, test, at);
    });
  }

  /** The next stress test should be this miner's. */
  enqueue(hotkey: string, why: string): void {
    this.#db.prepare("INSERT OR IGNORE INTO queue VALUES (?, ?, ?)")
      .run(hotkey, brief(why), this.#clock());
  }

  /** Hotkeys in the order in which they were put there. */
  queued(): string[] {
    return this.#db.prepare("SELECT hotkey FROM queue ORDER BY at, hotkey").all()
      .map(({ hotkey }) => String(hotkey));
  }

  /** When each miner was last tested, in milliseconds since 1970. */
  testedAt(): ReadonlyMap<string, number> {
    const rows = this.#db.prepare("SELECT hotkey, MAX(at) AS at FROM tests GROUP BY hotkey").all();
    return new Map(rows.map(({ hotkey, at }) => [String(hotkey), Number(at)]));
  }

  /** How many answers of a miner were ever checked. */
  checksOf(hotkey: string): number {
    return Number(
      this.#db.prepare("SELECT COUNT(*) AS n FROM checks WHERE hotkey = ?").get(hotkey)?.n,
    );
  }

  /** What the incentive is computed from. Unmeasured is NaN. */
  metrics(hotkey: string): MinerMetrics & Shown {
    const now = this.#clock();
    const { service, syntheticCheat, userCheat } = this.#windows;
    const one = (sql: string, ...values: (string | number)[]) => this.#query(sql).get(...values);
    const test = one("SELECT rps, error_rate FROM tests WHERE hotkey = ? ORDER BY at DESC", hotkey);
    const answers = one(
      "SELECT COALESCE(SUM(served), 0) AS served, COUNT(*) AS n FROM answers " +
        "WHERE hotkey = ? AND at > ?",
      hotkey,
      now - service,
    );
    const checks = one(
      "SELECT AVG(similarity) AS similarity, MAX(error) AS error, COUNT(*) AS n FROM checks " +
        "WHERE hotkey = ? AND at > ?",
      hotkey,
      now - service,
    );
    const caught = one(
      `SELECT verdict, why FROM checks WHERE hotkey = ? AND ${FAILED_CHECKS} ` +
        "AND at > CASE source WHEN 'user' THEN ? ELSE ? END ORDER BY at DESC",
      hotkey,
      now - userCheat,
      now - syntheticCheat,
    );
    const served = Number(answers?.served);
    return {
      requestsPerSecond: numberOr(test?.rps),
      similarity: numberOr(checks?.similarity),
      errorRate: numberOr(test?.error_rate),
      served,
      failed: Number(answers?.n) - served,
      cheated: caught !== undefined,
      checks: Number(checks?.n),
      velocityError: numberOr(checks?.error),
      why: caught ? `${caught.verdict}: ${caught.why}` : undefined,
    };
  }

  setWeights(block: number, uids: readonly number[], weights: readonly number[]): void {
    this.#db.prepare("INSERT OR REPLACE INTO weights VALUES (?, ?, ?, ?)")
      .run(block, JSON.stringify(uids), JSON.stringify(weights), this.#clock());
  }

  /** The newest weights that were set. */
  lastWeights(): SetWeights | undefined {
    const row = this.#db.prepare("SELECT * FROM weights ORDER BY block DESC").get();
    return row && {
      block: Number(row.block),
      uids: JSON.parse(String(row.uids)),
      weights: JSON.parse(String(row.weights)),
    };
  }

  /**
   * What somebody says of a receipt: the newest of each checker, by the time that was signed.
   * @returns false for one that is not newer than what he said before.
   */
  attest(attestation: SignedAttestation, keep: number): boolean {
    const { receipt, checker, at } = attestation.attestation;
    return this.#together(() => {
      const { changes } = this.#db.prepare(
        "INSERT INTO attestations VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE " +
          "SET entry = excluded.entry, at = excluded.at WHERE excluded.at > attestations.at",
      ).run(receipt, checker, JSON.stringify(attestation), at);
      this.#db.prepare(
        "DELETE FROM attestations WHERE at < (SELECT MIN(at) FROM " +
          "(SELECT at FROM attestations ORDER BY at DESC LIMIT ?))",
      ).run(keep);
      return changes > 0;
    });
  }

  /** Of one receipt, or the newest of all. */
  attestations(receipt: string | undefined, limit: number): unknown[] {
    const rows = receipt === undefined
      ? this.#db.prepare("SELECT entry FROM attestations ORDER BY at DESC LIMIT ?").all(limit)
      : this.#db.prepare(
        "SELECT entry FROM attestations WHERE receipt = ? ORDER BY at DESC LIMIT ?",
      ).all(receipt, limit);
    return rows.map(({ entry }) => JSON.parse(String(entry)));
  }

  /** A receipt that anybody may look at. */
  publish(id: string, entry: unknown, keep: number): void {
    this.#together(() => {
      this.#db.prepare("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?)")
        .run(id, JSON.stringify(entry), this.#clock());
      this.#db.prepare(
        "DELETE FROM receipts WHERE id NOT IN (SELECT id FROM receipts ORDER BY at DESC LIMIT ?)",
      ).run(keep);
    });
  }

  /** The newest first. */
  published(limit: number): unknown[] {
    return this.#db.prepare("SELECT entry FROM receipts ORDER BY at DESC LIMIT ?").all(limit)
      .map(({ entry }) => JSON.parse(String(entry)));
  }

  /** Forgets what no longer weighs. */
  sweep(): void {
    const { service, syntheticCheat, userCheat } = this.#windows;
    const before = this.#clock() - Math.max(service, syntheticCheat, userCheat);
    this.#db.prepare("DELETE FROM answers WHERE at < ?").run(before);
    // The first checks of a miner are remembered: it is not new again tomorrow.
    this.#db.prepare(
      "DELETE FROM checks WHERE at < ? AND (SELECT COUNT(*) FROM checks AS later " +
        "WHERE later.hotkey = checks.hotkey AND later.at > checks.at) >= 10",
    ).run(before);
    this.#db.prepare(
      "DELETE FROM tests WHERE at < ? AND at < " +
        "(SELECT MAX(at) FROM tests AS later WHERE later.hotkey = tests.hotkey)",
    ).run(before);
    this.#db.prepare("DELETE FROM queue WHERE at < ?").run(before);
    this.#db.prepare(
      "DELETE FROM weights WHERE at < ? AND block < (SELECT MAX(block) FROM weights)",
    )
      .run(before);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #checked(id: string, hotkey: string): void {
    this.#db.prepare("DELETE FROM pending WHERE id = ? AND hotkey = ?").run(id, hotkey);
  }

  /** Each tells whether it was new. */
  #answer(
    id: string,
    hotkey: string,
    served: boolean,
    why: string | null,
    at = this.#clock(),
  ): boolean {
    const { changes } = this.#db.prepare("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)")
      .run(id, hotkey, served ? 1 : 0, why && brief(why), at);
    return changes > 0;
  }

  #addCheck({ id, hotkey, source, score }: Checked, at: number): boolean {
    const { verdict, similarity, velocityError, worst, reasons: [why = null] } = score;
    const { changes } = this.#db
      .prepare("INSERT OR IGNORE INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(id, hotkey, source, verdict, similarity, velocityError, worst, why && brief(why), at);
    return changes > 0;
  }

  #addTest(hotkey: string, test: LoadTest, at: number): boolean {
    const { id, requestsPerSecond, errorRate, requests } = test;
    const { changes } = this.#db.prepare("INSERT OR IGNORE INTO tests VALUES (?, ?, ?, ?, ?, ?)")
      .run(id, hotkey, requestsPerSecond, errorRate, requests, at);
    if (changes === 0) return false;
    this.#db.prepare("DELETE FROM queue WHERE hotkey = ? AND at <= ?").run(hotkey, at);
    return true;
  }

  /** Compiled once: every request of a user looks at the metrics of all miners. */
  #query(sql: string): StatementSync {
    const query = this.#queries.get(sql) ?? this.#db.prepare(sql);
    this.#queries.set(sql, query);
    return query;
  }

  /** One transaction, also for what is called within one. */
  #together<T>(work: () => T): T {
    if (this.#db.isTransaction) return work();
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** What people want to see beside the metrics. */
export interface Shown {
  readonly checks: number;
  /** The largest of the checked steps. */
  readonly velocityError: number;
  /** What it was caught at. */
  readonly why: string | undefined;
}

/** As they went to the chain. */
export interface SetWeights {
  readonly block: number;
  readonly uids: readonly number[];
  /** u16 */
  readonly weights: readonly number[];
}

function numberOr(value: unknown): number {
  return typeof value === "number" ? value : NaN;
}
