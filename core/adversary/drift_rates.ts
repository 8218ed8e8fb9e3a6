import {
  drawSteered,
  driftOf,
  gainOf,
  type HonestTail,
  publicWords,
  type WordSource,
} from "../verifier/mod.ts";
import type { Examination } from "./examine.ts";

/** Share of miners that are drifting after so many checks, by this number. */
export type DriftRates = Readonly<Record<5 | 10 | 20 | 40, number>>;

/** Miners that are tried, and steps of a check. */
const MINERS = 200;
const DRAWN = 3;

/**
 * How soon a practice is found by all its checks together.
 * @param runs of which each check takes one at random.
 */
export function driftRates(
  runs: readonly Examination[],
  tail: HonestTail,
): DriftRates {
  // The same draws for the same runs.
  const words = publicWords(new Uint8Array(32), "0".repeat(64));
  const miners = Array.from(
    { length: MINERS },
    () => Array.from({ length: 40 }, () => gainOf(checkOf(runs, words), tail)),
  );
  const after = (checks: number) =>
    miners.filter((own) => driftOf(own.slice(0, checks)).drifting).length / MINERS;
  return { 5: after(5), 10: after(10), 20: after(20), 40: after(40) };
}

/** The ratios of one check's steps. */
function checkOf(
  runs: readonly Examination[],
  words: WordSource,
): number[] {
  const { sights, oddest } = runs[words() % runs.length];
  return drawSteered(sights.length, DRAWN, oddest, words).map((step) => sights[step].ratio);
}
