export { validatorCommand } from "./command.ts";
export { DEFAULT_FORWARD, type ForwardOptions } from "./forwarder.ts";
export { Ledger } from "./ledger.ts";
export { MinerCaller } from "./miner_caller.ts";
export type { Peer } from "./peers.ts";
export { startValidator, type Validator, type ValidatorOptions } from "./start_validator.ts";
export { StressLoop } from "./stress_loop.ts";
export { DEFAULT_STRESS, knock, type StressOptions, stressTest } from "./stress_test.ts";
