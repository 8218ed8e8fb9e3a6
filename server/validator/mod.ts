export { Ledger } from "./ledger.ts";
export { MinerCaller } from "./miner_caller.ts";
export type { Peer } from "./peers.ts";
export { StressLoop } from "./stress_loop.ts";
export { DEFAULT_STRESS, knock, stressTest } from "./stress_ramp.ts";
export { validatorCommand } from "./command.ts";
