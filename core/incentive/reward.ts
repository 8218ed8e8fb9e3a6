/** What a validator measured of one miner. Anything may be NaN where nothing was measured. */
export interface MinerMetrics {
  /**
   * Synthetic requests done a second, in images of the model's default, in windows in which all miners
   * were loaded at once.
   */
  readonly requestsPerSecond: number;
  /** Mean cosine of the checked velocities, in [-1, 1]. */
  readonly similarity: number;
  /** Share of synthetic requests that failed, in [0, 1]. */
  readonly errorRate: number;
  /** User requests answered, and those that it was given and failed. */
  readonly served: number;
  readonly failed: number;
  /** Work that users asked it for, in images of the model's default, and how it ended. */
  readonly work: ServiceWork;
  /** A hash, a proof or a drawn step did not hold. */
  readonly cheated: boolean;
}

/** In images of the model's default size and steps. */
export interface ServiceWork {
  readonly served: number;
  readonly failed: number;
  /** Turned away, as far as the miner had room by its own tests. */
  readonly refused: number;
}

/** The formula's constants. */
export interface RewardConfig {
  /** Requests a minute that count as 1. */
  readonly referenceRate: number;
  readonly throughputExponent: number;
  readonly similarityExponent: number;
  readonly successExponent: number;
  /** Of the share of users' work that was done; 0 leaves it out. */
  readonly serviceExponent: number;
  /** How often failed work counts: a user has waited for it. */
  readonly failedWeight: number;
  /** Work that counts as done before any was asked for: one failure says little of a new miner. */
  readonly trustedWork: number;
  /** Added for each user request served, and taken off for each one failed. */
  readonly servedBonus: number;
  readonly failedPenalty: number;
}

/**
 * The plain form, of WOMBO's Subnet 30. What it adds for users is small, counts an image of one step in
 * full and has no end; who refuses users loses nothing.
 */
export const SUBNET_30_REWARD: RewardConfig = {
  referenceRate: 128,
  throughputExponent: 1.125,
  similarityExponent: 8,
  successExponent: 2,
  ...{ serviceExponent: 0, failedWeight: 8, trustedWork: 2 },
  servedBonus: 0.0001,
  failedPenalty: 0.0008,
};

/** The same, with service to users as a factor; a failure weighs as much more as there. */
export const DEFAULT_REWARD: RewardConfig = {
  ...SUBNET_30_REWARD,
  ...{ serviceExponent: 1, servedBonus: 0, failedPenalty: 0 },
};

/**
 * A miner's weight before normalisation:
 * (60 rps / reference)^a * similarity^b * (1 - errorRate)^c * service^d
 * + bonus * served - penalty * failed.
 * @returns finite and at least 0; 0 for a cheater and where what is multiplied was not measured.
 */
export function rewardOf(metrics: MinerMetrics, config: RewardConfig = DEFAULT_REWARD): number {
  if (metrics.cheated) return 0;
  const { servedBonus, failedPenalty } = config;
  const quality = throughputTerm(metrics.requestsPerSecond, config) *
    similarityTerm(metrics.similarity, config) * successTerm(metrics.errorRate, config) *
    serviceTerm(metrics.work, config);
  const added = servedBonus * count(metrics.served) - failedPenalty * count(metrics.failed);
  return Math.max(0, quality + added);
}

/** (60 rps / reference)^a */
function throughputTerm(requestsPerSecond: number, config: RewardConfig): number {
  return (60 * count(requestsPerSecond) / config.referenceRate) ** config.throughputExponent;
}

/** similarity^b; a negative cosine is no similarity. */
function similarityTerm(similarity: number, config: RewardConfig): number {
  return share(similarity) ** config.similarityExponent;
}

/** (1 - errorRate)^c; where no rate was measured nothing succeeded. */
function successTerm(errorRate: number, config: RewardConfig): number {
  return share(1 - errorRate) ** config.successExponent;
}

/** The share of users' work that was done, ^d: 1 for a miner that nobody has asked yet. */
function serviceTerm(work: ServiceWork, config: RewardConfig): number {
  const done = config.trustedWork + count(work.served);
  const lost = config.failedWeight * count(work.failed) + count(work.refused);
  return (done / (done + lost)) ** config.serviceExponent;
}

function count(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}

function share(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}
