import { bytesToHex } from "@noble/hashes/utils.js";
import { fromHalf } from "../half.ts";
import { leafHash, merkleRoot, type PredictionSketch, sketcherOf } from "../transcript/mod.ts";
import { catchRate, oddestStep, steeredCatchRate } from "../verifier/mod.ts";
import { mean } from "./statistics.ts";

/** How often three recomputed steps find a run, by the way in which they are drawn. */
export interface DrawRates {
  /** That the oddest step is a cheated one. */
  readonly odd: number;
  /** Three at random, from both halves. */
  readonly plain: number;
  /** The oddest and two at random. */
  readonly oddAndTwo: number;
  /** The oddest, one of the last five, and one at random: what is drawn where there are sketches. */
  readonly steered: number;
}

/** A run's predictions, and which of them are not the network's. */
interface JudgedRun {
  readonly d: readonly Uint16Array[];
  readonly cheated: ReadonlySet<number>;
}

const DRAWN = 3;

/** Exact rates of the draws, of one run. */
export function drawRatesOf({ d, cheated }: JudgedRun): DrawRates {
  return ratesOf(sketchesOfRun(d), [...cheated]);
}

/**
 * The same of a miner that lies about the sketches too: those of `steps` steps before its first
 * forgery are said to lead to it evenly. A step with a false sketch is found when it is opened.
 */
export function lyingRatesOf({ d, cheated }: JudgedRun, steps: number): DrawRates {
  const sketches = sketchesOfRun(d);
  const end = Math.min(...cheated);
  const start = end - steps - 1;
  const lies = Array.from({ length: steps }, (_, k) => start + 1 + k);
  const said = sketches.map((honest, i) =>
    lies.includes(i) ? between(sketches[start], sketches[end], (i - start) / (end - start)) : honest
  );
  return ratesOf(said, [...lies, ...cheated]);
}

export function meanRates(rates: readonly DrawRates[]): DrawRates {
  const of = (name: keyof DrawRates) => mean(rates.map((each) => each[name]));
  return { odd: of("odd"), plain: of("plain"), oddAndTwo: of("oddAndTwo"), steered: of("steered") };
}

function ratesOf(sketches: readonly PredictionSketch[], cheated: readonly number[]): DrawRates {
  const steps = sketches.length;
  const odd = oddestStep(sketches);
  const hidden = cheated.length;
  const found = cheated.includes(odd);
  const missed = (steps - 1 - hidden) / (steps - 1) * (steps - 2 - hidden) / (steps - 2);
  return {
    odd: found ? 1 : 0,
    plain: catchRate(steps, DRAWN, cheated),
    oddAndTwo: found ? 1 : 1 - missed,
    steered: steeredCatchRate(steps, DRAWN, odd, cheated),
  };
}

/** By the signs of a root, as a receipt's. */
function sketchesOfRun(d: readonly Uint16Array[]): PredictionSketch[] {
  const leaves = d.map((bits, i) => leafHash(i, new Uint8Array(bits.slice().buffer)));
  const sketch = sketcherOf(bytesToHex(merkleRoot(leaves)), d.length, d[0].length);
  return d.map((bits) => sketch(fromHalf(bits)));
}

function between(a: PredictionSketch, b: PredictionSketch, share: number): PredictionSketch {
  return a.map((value, k) => value + share * (b[k] - value));
}
