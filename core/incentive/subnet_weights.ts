import { emitWeights, processWeights, type Weights } from "./process_weights.ts";

/** What a subnet demands of weights. */
export interface WeightLimits {
  readonly minAllowedWeights: number;
  /** Of 65535. */
  readonly maxWeightsLimit: number;
}

/**
 * The weights to emit for scores by uid. Who earned nothing has weight 0, and is listed only as far as
 * the subnet demands a length: the SDK would give each a share instead.
 * @returns undefined where nobody has a score: the SDK would then give all the same.
 */
export function subnetWeights(
  scores: readonly number[],
  { minAllowedWeights, maxWeightsLimit }: WeightLimits,
): Weights | undefined {
  if (scores.every((score) => score === 0)) return undefined;
  const maxWeightLimit = maxWeightsLimit / 65535;
  const { uids, weights } = processWeights({ scores, minAllowedWeights: 0, maxWeightLimit });
  return withZeros(emitWeights(uids, weights), minAllowedWeights, scores.length);
}

/** As many uids as the subnet demands, which counts those with no weight too. */
function withZeros({ uids, weights }: Weights, least: number, neurons: number): Weights {
  const given = new Map(uids.map((uid, k) => [uid, weights[k]]));
  for (let uid = 0; uid < neurons && given.size < least; uid++) {
    if (!given.has(uid)) given.set(uid, 0);
  }
  const all = [...given].toSorted(([a], [b]) => a - b);
  return { uids: all.map(([uid]) => uid), weights: all.map(([, weight]) => weight) };
}
