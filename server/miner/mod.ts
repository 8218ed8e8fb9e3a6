export { minerCommand } from "./command.ts";
export type { ImageSource } from "./image_source.ts";
export { MinerMetrics } from "./metrics.ts";
export { minerRoutes } from "./routes.ts";
export { type Miner, type MinerOptions, startMiner } from "./start_miner.ts";
