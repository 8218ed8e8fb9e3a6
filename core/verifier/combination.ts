import { halfBits } from "../half.ts";
import { allTerms, type Combination, combined, type Term } from "../schedule/mod.ts";

/** How committed values compare with their recomputation. */
export interface CombinationCheck {
  readonly length: number;
  /** Values other than the rounded sum in double precision. */
  readonly differing: number;
  /** The largest distance from it, in steps of float16. */
  readonly maxUlps: number;
  /** Values that no float32 evaluation rounds to: none for an honest miner. */
  readonly outside: number;
}

/** WGSL lets a sum or product be either neighbour of the true value: one unit, not half of one. */
export const FLOAT32_UNIT = 2 ** -23;
/** Twice what our GPU and CPU noise differ by at most. */
export const NOISE_ERROR = 4e-6;

/**
 * Compares committed values y with s = sum of w_t * v_t, evaluated in f64. Evaluating T terms in
 * float32, in any order, with weights rounded to float32, gives a number within
 *
 *     E = (T + 1) * 2^-23 * sum |w_t * v_t|  +  |w_noise| * 4e-6
 *
 * of s: half a unit for the weight, one for the product and T - 1 for the additions, each of a
 * partial sum that is no larger than the sum of magnitudes. Rounding to float16 is monotone, so an
 * honest y lies between the rounded s - E and the rounded s + E. A blend with a kept source adds
 * four units for its own products and sum. Where terms cancel that may be
 * many float16 steps of a small result; mostly it is one value, or two neighbours.
 * @param committed u16[n] float16 bits, finite.
 */
export function checkCombination(
  committed: Uint16Array,
  combination: Combination,
): CombinationCheck {
  const sum = combined(committed.length, combination);
  const magnitude = combined(committed.length, magnitudes(combination));
  const relative = roundings(combination) * FLOAT32_UNIT;
  const absolute = noiseWeight(combination) * NOISE_ERROR;
  let [differing, maxUlps, outside] = [0, 0, 0];
  for (let j = 0; j < committed.length; j++) {
    const ulps = Math.abs(ordinal(committed[j]) - ordinal(halfBits(sum[j])));
    if (ulps === 0) continue;
    differing++;
    maxUlps = Math.max(maxUlps, ulps);
    if (!within(committed[j], sum[j], relative * magnitude[j] + absolute)) outside++;
  }
  return { length: committed.length, differing, maxUlps, outside };
}

/** Units of float32 that an evaluation may be off by, of the sum of magnitudes. */
function roundings(combination: Combination): number {
  const { kept } = combination;
  const own = allTerms(combination).length + 1;
  // 1 - mask, two products and their sum.
  return kept ? Math.max(own, allTerms(kept).length + 1) + 4 : own;
}

function noiseWeight({ noise, kept }: Combination): number {
  return Math.max(Math.abs(noise?.[0] ?? 0), Math.abs(kept?.noise?.[0] ?? 0));
}

function magnitudes({ terms, noise, kept }: Combination): Combination {
  return {
    terms: terms.map(magnitude),
    ...(noise && { noise: magnitude(noise) }),
    ...(kept && { kept: { ...magnitudes(kept), mask: kept.mask } }),
  };
}

function magnitude([weight, values]: Term): Term {
  return [Math.abs(weight), values.map(Math.abs)];
}

function within(bits: number, sum: number, error: number): boolean {
  const at = ordinal(bits);
  return at >= ordinal(halfBits(sum - error)) && at <= ordinal(halfBits(sum + error));
}

/** Counts float16 values from zero, so that neighbours differ by one. Both zeros are 0. */
function ordinal(bits: number): number {
  return bits & 0x8000 ? -(bits & 0x7fff) : bits;
}
