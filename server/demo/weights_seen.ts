/** Weights that a validator set. */
export interface WeightsSet {
  readonly uids: readonly number[];
  readonly weights: readonly number[];
  readonly block: number;
}

/**
 * All weights that were seen to be set: an epoch pays by those that were set before it, which are
 * not the newest ones until the next epoch.
 */
export class WeightsSeen {
  readonly #byBlock = new Map<number, WeightsSet>();

  add(weights: WeightsSet | undefined): void {
    if (weights) this.#byBlock.set(weights.block, weights);
  }

  /** The newest that were set by the end of a block; undefined where none were. */
  at(block: number): WeightsSet | undefined {
    const set = [...this.#byBlock.values()].filter((weights) => weights.block <= block);
    return set.sort((a, b) => b.block - a.block)[0];
  }
}

/** A neuron's share, in percent. */
export function shareOf(weights: WeightsSet | undefined, uid: number): number {
  const total = weights?.weights.reduce((sum, weight) => sum + weight, 0) ?? 0;
  if (!weights || total === 0) return 0;
  return 100 * (weights.weights[weights.uids.indexOf(uid)] ?? 0) / total;
}
