import { fromHalf } from "../half.ts";
import { gaussianNoise } from "../noise/mod.ts";
import type { Plan } from "../schedule/mod.ts";
import {
  asWritten,
  type PredictionSketch,
  type Sketcher,
  sketcherOf,
  sketchesOf,
  writingError,
} from "../transcript/mod.ts";
import type { ProvenOpening } from "./check_opening.ts";
import type { CheckedReceipt } from "./check_receipt.ts";
import { FLOAT32_UNIT, NOISE_ERROR } from "./combination.ts";

/** What a receipt's sketches are held against: all that was opened. */
export interface SketchCheck {
  /** Opened predictions whose sketch is another one. */
  readonly otherPredictions: readonly number[];
  /** Opened states that the sketched predictions do not lead to. */
  readonly otherStates: readonly number[];
}

/**
 * Level 1 for the sketches. Those of opened predictions are made again, bit for bit. All others are
 * bound together: the plan combines sketches as it combines tensors, so x_0, the noise and the
 * sketches of every D_i say what that of each opened x_m must be. A false sketch of a step that is
 * not opened shows there, unless others are false too.
 * @returns undefined for a receipt without sketches, or where no tensor was opened.
 */
export function checkSketches(openings: readonly ProvenOpening[]): SketchCheck | undefined {
  const committed = openings[0]?.committed;
  const claimed = committed && sketchesOf(committed.receipt);
  if (!claimed) return undefined;
  const { root, steps, latent } = committed.receipt;
  const length = latent.reduce((product, side) => product * side, 1);
  const sketcher = sketcherOf(root, steps, length);
  const opened = openedSketches(openings, sketcher);
  const states = [...opened].filter(([name]) => name.startsWith("x."));
  const last = Math.max(...states.map(([name]) => indexOf(name)));
  const start = opened.get("x.0");
  // What a mask keeps of each tensor does not follow from its sketch.
  const blends = committed.plan.rows.some(({ blend }) => blend);
  const course = start && !blends
    ? courseOf(committed, claimed, { start, sketcher, length, last })
    : [];
  return {
    otherPredictions: [...opened].filter(([name, sketch]) =>
      name.startsWith("d.") && !equal(asWritten(sketch, steps), claimed[indexOf(name)])
    ).map(([name]) => indexOf(name)),
    otherStates: states.filter(([name, sketch]) => {
      const expected = course[indexOf(name)];
      return expected && !near(sketch, expected);
    }).map(([name]) => indexOf(name)),
  };
}

export function passesSketches(check: SketchCheck | undefined): boolean {
  return !check || check.otherPredictions.length + check.otherStates.length === 0;
}

function openedSketches(
  openings: readonly ProvenOpening[],
  sketcher: Sketcher,
): Map<string, PredictionSketch> {
  const leaves = new Map(openings.flatMap(({ leaves }) => [...leaves]));
  return new Map([...leaves].map(([name, bits]) => [name, sketcher(fromHalf(bits))]));
}

function indexOf(name: string): number {
  return Number(name.slice(2));
}

function equal(a: PredictionSketch, b: PredictionSketch): boolean {
  return a.every((value, k) => value === b[k]);
}

/** The sketch that a state should have, and how far rounding may take each number of it. */
interface Expected {
  readonly values: Float64Array;
  readonly error: number;
}

function near(sketch: PredictionSketch, { values, error }: Expected): boolean {
  return sketch.every((value, k) => Math.abs(value - values[k]) <= error);
}

/**
 * The signs know nothing of the rounding, so each number of its sketch has the rounding's own
 * deviation: that of float16, at most 2^-11 / sqrt(3) of the values. Eight of them are passed once
 * in 10^15 numbers.
 */
const ROUNDING = 8 * 2 ** -11 / Math.sqrt(3);
/** What the plan combines: a weight, a sketch and its error, and the root mean square of its tensor. */
interface SketchTerm {
  readonly weight: number;
  readonly values: Float32Array | Float64Array;
  readonly error: number;
  readonly size: number;
}

/** Sketches of x_0 to x_last as the plan combines them, from that of x_0 on. */
function courseOf(
  { receipt, plan }: CheckedReceipt,
  claimed: readonly PredictionSketch[],
  { start, sketcher, length, last }: {
    readonly start: PredictionSketch;
    readonly sketcher: Sketcher;
    readonly length: number;
    readonly last: number;
  },
): Expected[] {
  const seed = BigInt(receipt.request.seed);
  const { state, prediction } = magnitudesOf(plan, claimed);
  const course: Expected[] = [{ values: Float64Array.from(start), error: 0 }];
  for (let m = 1; m <= last; m++) {
    const { states, denoised, noise } = plan.rows[m - 1];
    const terms: SketchTerm[] = [
      ...ofWeights(states, (age) => ({ ...course[m - 1 - age], size: state(m - 1 - age) })),
      ...ofWeights(denoised, (age) => ({
        values: claimed[m - 1 - age],
        error: writingError(receipt.steps) * largestOf(claimed[m - 1 - age]),
        size: prediction,
      })),
      ...ofWeights([noise], () => ({
        ...{ values: sketcher(gaussianNoise(seed, m, length)), error: NOISE_ERROR, size: 1 },
      })),
    ];
    const units = (states.length + denoised.length + 2) * FLOAT32_UNIT;
    course.push(combined(terms, claimed[0].length, { units, rounding: ROUNDING * state(m) }));
  }
  return course;
}

function largestOf(sketch: PredictionSketch): number {
  return sketch.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Terms whose weight is 0 are left out, and so read nothing. */
function ofWeights(
  weights: readonly number[],
  term: (age: number) => Omit<SketchTerm, "weight">,
): SketchTerm[] {
  return weights.flatMap((weight, age) => weight === 0 ? [] : [{ weight, ...term(age) }]);
}

function combined(
  terms: readonly SketchTerm[],
  width: number,
  { units, rounding }: { readonly units: number; readonly rounding: number },
): Expected {
  const values = new Float64Array(width);
  let error = rounding;
  for (const { weight, values: sketch, error: own, size } of terms) {
    for (let k = 0; k < width; k++) values[k] += weight * sketch[k];
    error += Math.abs(weight) * (own + units * size);
  }
  return { values, error };
}

/** Root mean squares that a run's tensors do not exceed, as its sketches and its plan say. */
function magnitudesOf({ rows, initialScale }: Plan, claimed: readonly PredictionSketch[]) {
  const squares = claimed.flatMap((sketch) => [...sketch].map((value) => value * value));
  const prediction = 1.5 * Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
  const largest = rows.reduce((most, { alpha }) => Math.max(most, alpha), 0);
  return {
    prediction,
    state: (m: number): number => {
      const { sigma } = rows[Math.min(m, rows.length - 1)];
      const signal = (m < rows.length ? rows[m].alpha : largest) * prediction;
      return Math.max(signal + 1.5 * sigma, m === 0 ? Math.abs(initialScale) : 0);
    },
  };
}
