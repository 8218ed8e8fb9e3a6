export { minerCommand } from "./command.ts";
export { type Miner, type MinerOptions, startMiner } from "./start_miner.ts";
