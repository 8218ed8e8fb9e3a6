/**
 * What a validator has measured, in one SQLite file: user results, checks, stress tests, weights,
 * attestations. Nothing here calls others or decides anything.
 *
 * ```ts
 * import { Ledger } from "./mod.ts";
 *
 * using ledger = new Ledger(":memory:");
 * ledger.results.served("request 1", "5Miner");
 * ledger.results.failed("request 2", "5Miner", "no answer within 60 s");
 * console.log(ledger.metrics("5Miner").failed, ledger.metrics("5Miner").work.served); // 1 1
 * ```
 */
export type { Checked, PendingCheck } from "./checks.ts";
export type { History } from "./history.ts";
export { Ledger } from "./ledger.ts";
export { DEFAULT_WINDOWS } from "./metrics.ts";
export {
  decodeMeasured,
  type Measured,
  measuredAnswer,
  measuredCheck,
  measuredId,
  whyOf,
} from "./measured.ts";
export type { LoadTest } from "./tests.ts";
