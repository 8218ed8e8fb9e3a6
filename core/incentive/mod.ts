/**
 * What a miner's measured work is worth, and how scores become weights on the chain, to the bit as the
 * Bittensor SDK has it. Pure arithmetic: what is measured, and when weights are set, is the validator's.
 *
 * ```ts
 * import { emitWeights, processWeights } from "./mod.ts";
 *
 * const scores = [0, 3, 1]; // by uid
 * const { uids, weights } = processWeights({ scores, minAllowedWeights: 0, maxWeightLimit: 1 });
 * console.log(uids, weights); // [ 1, 2 ] [ 0.75, 0.25 ]
 * console.log(emitWeights(uids, weights)); // u16, the largest 65535
 * ```
 */
export { blendScores, creatorScores, type CreatorShare } from "./creators.ts";
export {
  emitWeights,
  processWeights,
  type ScoresToWeigh,
  type Weights,
} from "./process_weights.ts";
export {
  DEFAULT_REWARD,
  type MinerMetrics,
  type RewardConfig,
  rewardOf,
  type ServiceWork,
  SUBNET_30_REWARD,
} from "./reward.ts";
export { subnetWeights } from "./subnet_weights.ts";
