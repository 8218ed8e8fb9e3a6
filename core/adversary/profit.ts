import { rewardOf } from "../incentive/mod.ts";

/** What a miner meets in one round of the subnet. */
export interface Round {
  /** Synthetic requests answered: 4 + 8 + 16 + 32, as load is doubled. */
  readonly synthetic: number;
  /** Of users. */
  readonly users: number;
  /** Shares of them that are checked; of synthetic ones at least one is. */
  readonly syntheticAudit: number;
  readonly userAudit: number;
  /** Requests a second of an honest miner on the same machine. */
  readonly requestsPerSecond: number;
}

export const DEFAULT_ROUND: Round = {
  synthetic: 60,
  users: 20,
  syntheticAudit: 0.0625,
  userAudit: 0.25,
  requestsPerSecond: 2,
};

/** What is known of a way to work. */
export interface Practice {
  /** Machine time of an image, an honest one's being 1. */
  readonly work: number;
  /** Mean over the steps that were scored. */
  readonly similarity: number;
  /** The probability that one checked image passes. */
  readonly passes: number;
}

/** Serving takes time even if nothing is computed: no more than so many times the throughput. */
const MAX_SPEEDUP = 20;

/**
 * The expected weight of a round, by the subnet's formula, over that of an honest miner: a miner
 * caught once has none. Machines are given, so what a cheat saves is throughput.
 * @returns 1 for honesty; above 1 the cheat pays.
 */
export function relativeIncome(practice: Practice, round: Round = DEFAULT_ROUND): number {
  const speedup = Math.min(MAX_SPEEDUP, 1 / practice.work);
  const earned = weightOf(round, speedup, practice.similarity);
  const checks = Math.max(1, round.synthetic * round.syntheticAudit) +
    round.users * round.userAudit;
  return practice.passes ** checks * earned / weightOf(round, 1, 1);
}

function weightOf(round: Round, speedup: number, similarity: number): number {
  return rewardOf({
    requestsPerSecond: round.requestsPerSecond * speedup,
    similarity,
    errorRate: 0,
    ...{ served: round.users, failed: 0 },
    work: { served: round.users, failed: 0, refused: 0 },
    cheated: false,
  });
}
