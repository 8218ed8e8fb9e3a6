/** Validators' weights and what they have at stake. All by uid. */
export interface ConsensusInput {
  /** Only of those who may set weights; others 0. */
  readonly stake: readonly number[];
  /** weights[i][j]: what i gives j. */
  readonly weights: readonly (readonly number[])[];
  /** Share of stake that has to agree. */
  readonly kappa: number;
}

/** Shares that each sum to 1, or are all 0 where nobody set weights. */
export interface ConsensusOutcome {
  readonly consensus: readonly number[];
  readonly incentive: readonly number[];
  readonly dividends: readonly number[];
  readonly validatorTrust: readonly number[];
}

/**
 * Yuma consensus in its plain form: a weight counts as far as validators with more than `kappa` of
 * the stake give as much. `mod.ts` lists what the chain's has besides.
 * @see https://docs.learnbittensor.org/learn/yuma-consensus
 */
export function yumaConsensus({ stake, weights, kappa }: ConsensusInput): ConsensusOutcome {
  const shares = normalised(stake);
  const rows = weights.map(normalised);
  const uids = stake.map((_, uid) => uid);
  const consensus = uids.map((j) => agreed(uids.map((i) => rows[i][j] ?? 0), shares, kappa));
  const clipped = rows.map((row) => uids.map((j) => Math.min(row[j] ?? 0, consensus[j])));
  const incentive = normalised(
    uids.map((j) => sum(uids.map((i) => shares[i] * clipped[i][j]))),
  );
  const bonds = uids.map((j) => normalised(uids.map((i) => shares[i] * clipped[i][j])));
  const dividends = normalised(
    uids.map((i) => sum(uids.map((j) => bonds[j][i] * incentive[j]))),
  );
  return { consensus, incentive, dividends, validatorTrust: clipped.map(sum) };
}

/** The largest weight that validators with more than kappa of the stake give at least. */
function agreed(given: readonly number[], shares: readonly number[], kappa: number): number {
  const falling = given.map((weight, i) => ({ weight, share: shares[i] }))
    .sort((a, b) => b.weight - a.weight);
  let behind = 0;
  for (const { weight, share } of falling) {
    behind += share;
    if (behind > kappa) return weight;
  }
  return 0;
}

function normalised(values: readonly number[]): number[] {
  const total = sum(values);
  return values.map((value) => total > 0 ? value / total : 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
