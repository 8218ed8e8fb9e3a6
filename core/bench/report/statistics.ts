/** What samples of one duration say, in the samples' unit. */
export interface Summary {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  /** Median of the distances from the median: a spread that a few outliers do not move. */
  readonly mad: number;
}

/** @param samples at least one. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = quantile(sorted, 0.5);
  const distances = sorted.map((sample) => Math.abs(sample - middle)).sort((a, b) => a - b);
  return {
    median: middle,
    p10: quantile(sorted, 0.1),
    p90: quantile(sorted, 0.9),
    mad: quantile(distances, 0.5),
  };
}

export function median(samples: readonly number[]): number {
  return quantile(samples.toSorted((a, b) => a - b), 0.5);
}

/** Linear between the two nearest samples; NaN of none. */
function quantile(sorted: readonly number[], part: number): number {
  if (sorted.length === 0) return NaN;
  const place = part * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/**
 * How many times longer `slow` took than `fast`: the median of the ratios round by round, since
 * what disturbs a machine disturbs both samples of a round.
 */
export function pairedRatio(slow: readonly number[], fast: readonly number[]): number {
  const rounds = Math.min(slow.length, fast.length);
  return median(Array.from({ length: rounds }, (_, round) => slow[round] / fast[round]));
}
