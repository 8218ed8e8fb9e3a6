/**
 * How large an honest error gets, by those seen: so many standard deviations above the median of a
 * log-normal distribution. Spread is taken above the median: below it errors reach down to the zero
 * of machines that agreed to the bit.
 * @returns 0 when all agreed to the bit.
 */
export function logNormalTail(errors: readonly number[], deviations: number): number {
  const logs = errors.filter((error) => error > 0).map(Math.log).toSorted((a, b) => a - b);
  const upper = logs.slice(logs.length >> 1);
  if (upper.length === 0) return 0;
  const [median] = upper;
  const variance = upper.reduce((sum, log) => sum + (log - median) ** 2, 0) / upper.length;
  return Math.exp(median + deviations * Math.sqrt(variance));
}
