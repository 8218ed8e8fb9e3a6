/** What a validator measured of one miner. Anything may be NaN where nothing was measured. */
export interface MinerMetrics {
  /** Successful synthetic requests a second, at the highest load that it carried. */
  readonly requestsPerSecond: number;
  /** Mean cosine of the checked velocities, in [-1, 1]. */
  readonly similarity: number;
  /** Share of synthetic requests that failed, in [0, 1]. */
  readonly errorRate: number;
  /** User requests answered, and those that it was given and failed. */
  readonly served: number;
  readonly failed: number;
  /** A hash, a proof or a drawn step did not hold. */
  readonly cheated: boolean;
}

/** The formula's constants. */
export interface RewardConfig {
  /** Requests a minute that count as 1. */
  readonly referenceRate: number;
  readonly throughputExponent: number;
  readonly similarityExponent: number;
  readonly successExponent: number;
  /** For each user request served, and against each one failed. */
  readonly servedBonus: number;
  readonly failedPenalty: number;
}

/** Those of WOMBO's Subnet 30. */
export const DEFAULT_REWARD: RewardConfig = {
  referenceRate: 128,
  throughputExponent: 1.125,
  similarityExponent: 8,
  successExponent: 2,
  servedBonus: 0.0001,
  failedPenalty: 0.0008,
};

/**
 * A miner's weight before normalisation:
 * (60 rps / reference)^a * similarity^b * (1 - errorRate)^c + bonus * served - penalty * failed.
 * @returns finite and at least 0; 0 for a cheater and where what is multiplied was not measured.
 */
export function rewardOf(metrics: MinerMetrics, config: RewardConfig = DEFAULT_REWARD): number {
  if (metrics.cheated) return 0;
  const quality = throughputTerm(metrics.requestsPerSecond, config) *
    similarityTerm(metrics.similarity, config) * successTerm(metrics.errorRate, config);
  return Math.max(0, quality + serviceTerm(metrics, config));
}

/** (60 rps / reference)^a */
function throughputTerm(requestsPerSecond: number, config = DEFAULT_REWARD): number {
  return (60 * count(requestsPerSecond) / config.referenceRate) ** config.throughputExponent;
}

/** similarity^b; a negative cosine is no similarity. */
function similarityTerm(similarity: number, config = DEFAULT_REWARD): number {
  return share(similarity) ** config.similarityExponent;
}

/** (1 - errorRate)^c; where no rate was measured nothing succeeded. */
function successTerm(errorRate: number, config = DEFAULT_REWARD): number {
  return share(1 - errorRate) ** config.successExponent;
}

/** Bonus less penalty; negative when too many users were failed. */
function serviceTerm(
  { served, failed }: Pick<MinerMetrics, "served" | "failed">,
  config = DEFAULT_REWARD,
): number {
  return config.servedBonus * count(served) - config.failedPenalty * count(failed);
}

function count(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}

function share(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}
