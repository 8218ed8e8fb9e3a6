export { devnetCommand } from "./command.ts";
export { type Devnet, type DevnetOptions, startDevnet } from "./devnet.ts";
export type { GenesisNeuron, Hyperparameters } from "./genesis.ts";
