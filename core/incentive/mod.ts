export {
  emitWeights,
  processWeights,
  type ScoresToWeigh,
  type Weights,
} from "./process_weights.ts";
export { DEFAULT_REWARD, type MinerMetrics, type RewardConfig, rewardOf } from "./reward.ts";
