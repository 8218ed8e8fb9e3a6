import { bounded, type Score } from "./score.ts";

/**
 * What a piece's content is worth, of all its scores together: their geometric mean, so that none of
 * them can stand in for another that is 0.
 * @param scores by name; those that are left out do not count.
 * @returns in [0, 1]; 0 without scores.
 */
export function contentScore(scores: Readonly<Record<string, Score | undefined>>): number {
  const values = Object.values(scores).flatMap((score) => score ? [bounded(score.value)] : []);
  if (values.length === 0) return 0;
  return values.reduce((product, value) => product * value, 1) ** (1 / values.length);
}
