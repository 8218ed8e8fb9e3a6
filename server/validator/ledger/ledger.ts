import type { MinerMetrics } from "../../../core/incentive/mod.ts";
import { AttestationLedger } from "./attestations.ts";
import { CheckLedger } from "./checks.ts";
import { LedgerDatabase } from "./database.ts";
import { ServedImages } from "./images.ts";
import { DoubtLedger } from "./doubts.ts";
import { type History, historyOf } from "./history.ts";
import { DEFAULT_WINDOWS, type Shown, type Windows } from "./metrics.ts";
import { MetricsCache } from "./metrics_cache.ts";
import { PublishedReceipts } from "./receipts.ts";
import { PrecisionLedger } from "./precision.ts";
import { UserResults } from "./results.ts";
import { Projection } from "./projection.ts";
import { RootLedger } from "./roots.ts";
import { TestLedger } from "./tests.ts";
import { WeightLedger } from "./weights.ts";

interface LedgerOptions {
  readonly windows?: Windows;
  readonly shared?: boolean;
}

/**
 * All that a validator has measured, in SQLite. Each result is a row under its own key and settled
 * in one transaction, so that a crash loses none and counts none twice; what a miner is worth is
 * always derived from the rows.
 */
export class Ledger implements Disposable {
  readonly results: UserResults;
  readonly checks: CheckLedger;
  readonly precision: PrecisionLedger;
  readonly doubts: DoubtLedger;
  readonly tests: TestLedger;
  readonly roots: RootLedger;
  /** What other processes of the validator know too. */
  readonly projection: Projection;
  readonly receipts: PublishedReceipts;
  readonly images: ServedImages;
  readonly attestations: AttestationLedger;
  readonly weights: WeightLedger;
  readonly #database: LedgerDatabase;
  readonly #windows: Windows;
  readonly #metrics: MetricsCache;

  /**
   * @param path of an SQLite file.
   * @param clock milliseconds since 1970.
   * @param shared whether what is measured here is published to other processes of the validator.
   */
  constructor(
    path: string,
    clock: () => number = Date.now,
    { windows = DEFAULT_WINDOWS, shared = false }: LedgerOptions = {},
  ) {
    const database = new LedgerDatabase(path, clock, shared);
    this.#database = database;
    this.#windows = windows;
    this.#metrics = new MetricsCache(database, windows);
    this.results = new UserResults(database);
    this.precision = new PrecisionLedger(database);
    this.doubts = new DoubtLedger(database);
    this.checks = new CheckLedger(database, this.results, this.precision);
    this.tests = new TestLedger(database, this.checks);
    this.roots = new RootLedger(database);
    this.receipts = new PublishedReceipts(database);
    this.images = new ServedImages(database);
    this.attestations = new AttestationLedger(database);
    this.weights = new WeightLedger(database);
    this.projection = new Projection(database, this);
  }

  /** What the incentive of a miner is computed from. Unmeasured is NaN. */
  metrics(hotkey: string): MinerMetrics & Shown {
    return this.#metrics.of(hotkey);
  }

  /** The last days, by hours. Reads all of their rows. */
  history(): History {
    return historyOf(this.#database);
  }

  /** Whether more answers of a miner are checked than of others: it drifts, or somebody doubts it. */
  wantsRetest(hotkey: string): boolean {
    return this.metrics(hotkey).drifting || this.doubts.isOpen(hotkey);
  }

  /** Deletes what no longer counts. */
  sweep(): void {
    const { service, syntheticCheat, userCheat } = this.#windows;
    const before = this.#database.now() - Math.max(service, syntheticCheat, userCheat);
    const { results, checks, precision, doubts, tests, roots, weights } = this;
    for (const table of [results, checks, precision, doubts, tests, roots, weights]) {
      table.sweep(before);
    }
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]();
  }
}
