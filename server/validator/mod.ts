/**
 * A validator: serves users through miners (`forwarder.ts`), checks what they make (`scorer.ts`), puts
 * miners under load (`stress_loop.ts`, `stress_window.ts`), keeps what it measured (`ledger/`), and sets
 * weights (`weights_loop.ts`). `startValidator` puts it together, `routes.ts` is its HTTP API. Of several
 * processes in a cluster one leads (`leader.ts`), scorers pull checks (`check_worker.ts`), and all know the
 * same (`shared_results.ts`).
 *
 * ```ts
 * import { Ledger } from "./mod.ts";
 *
 * using ledger = new Ledger(":memory:");
 * ledger.results.served("request 1", "5Miner");
 * console.log(ledger.metrics("5Miner").served); // 1
 * ```
 */
export { type Clock, systemClock } from "./clock.ts";
export { Ledger } from "./ledger/mod.ts";
export { DEFAULT_FORWARD, Forwarder } from "./forwarder.ts";
export { MinerBusy } from "./miner_answer.ts";
export { type Asked, type CheckedAnswer, MinerCaller } from "./miner_caller.ts";
export type { Peer } from "./peers.ts";
export { FETCH_MS, type Scorer } from "./scorer.ts";
export { StressLoop } from "./stress_loop.ts";
export { DEFAULT_STRESS, examine, loadMiner } from "./stress_window.ts";
export { setsWeights } from "./sets_weights.ts";
export { weightsOf } from "./weights_loop.ts";
export { validatorCommand } from "./command.ts";
