/**
 * A seed for a request that names none. Nobody can foresee it, and below 2^53 it is exact as a
 * number in JSON too.
 */
export function randomSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] >> 11n;
}
