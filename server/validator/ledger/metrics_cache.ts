import type { MinerMetrics } from "../../../core/incentive/mod.ts";
import type { LedgerDatabase } from "./database.ts";
import { metricsOf, type Shown, type Windows } from "./metrics.ts";

/**
 * Milliseconds after which metrics are derived again though this process has recorded nothing: what is
 * old falls out of its window, and another process may share the file. Not all at once: a million rows
 * take a fifth of a second.
 */
const MIN_LIFE_MS = 5000;
const SPREAD_MS = 500;
const SPREADS = 11;

interface Entry {
  readonly metrics: MinerMetrics & Shown;
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly derived: number;
  readonly lifeMs: number;
}

/** Metrics of miners: every user's request reads those of all. */
export class MetricsCache {
  readonly #database: LedgerDatabase;
  readonly #windows: Windows;
  readonly #entries = new Map<string, Entry>();
  #derived = 0;

  constructor(database: LedgerDatabase, windows: Windows) {
    this.#database = database;
    this.#windows = windows;
  }

  /** As {@link metricsOf}, as this process knows them; what another recorded is there in seconds. */
  of(hotkey: string): MinerMetrics & Shown {
    const known = this.#entries.get(hotkey);
    const [now, version] = [this.#database.now(), this.#database.versionOf(hotkey)];
    if (known && known.version === version && Math.abs(now - known.derived) < known.lifeMs) {
      return known.metrics;
    }
    const metrics = metricsOf(this.#database, this.#windows, hotkey);
    const lifeMs = MIN_LIFE_MS + SPREAD_MS * (this.#derived++ % SPREADS);
    this.#entries.set(hotkey, { metrics, version, derived: now, lifeMs });
    return metrics;
  }
}
