import { fromHalf, toHalf } from "../half.ts";
import type { SourceImages } from "../generation/mod.ts";
import { hardMask, latentMask } from "../image/mod.ts";
import type { Source } from "../schedule/mod.ts";
import type { LatentShape } from "../transcript/mod.ts";

/** What a run started from against the files that its request names. */
export interface SourceComparison {
  /**
   * |s - s'| / |s'|: the committed latent and what the VAE's encoder makes of the image; of that and of
   * what the mask keeps of it, where the network reads this, the larger.
   */
  readonly error: number;
  readonly tolerance: number;
  /** Elements of the mask that are not the file's; 0 without one. */
  readonly maskDiffering: number;
}

/**
 * An encoder's hosts differ by rounding and by float16, together less than 2e-3 of the latent; another
 * picture differs by more than half of it.
 */
const TOLERANCE = 0.02;

/**
 * Level 3 for the start of a run.
 * @param source as it was opened.
 * @param encoded what the VAE makes of the image, and of what the mask keeps of it, float16 bits.
 */
export function compareSource(
  source: Source,
  { mask }: Pick<SourceImages, "mask">,
  encoded: { readonly latent: Uint16Array; readonly kept?: Uint16Array },
  latent: LatentShape,
): SourceComparison {
  const { kept } = source;
  const ofImage = relativeError(source.latent, fromHalf(encoded.latent));
  const ofKept = kept && encoded.kept ? relativeError(kept, fromHalf(encoded.kept)) : 0;
  const own = mask && toHalf(latentMask(kept ? hardMask(mask) : mask, latent));
  const committed = toHalf(source.mask?.slice() ?? new Float32Array());
  return {
    error: Math.max(ofImage, ofKept),
    tolerance: TOLERANCE,
    maskDiffering: committed.filter((bits, i) => bits !== own?.[i]).length,
  };
}

export function passesSource({ error, tolerance, maskDiffering }: SourceComparison): boolean {
  return error <= tolerance && maskDiffering === 0;
}

function relativeError(values: Float32Array, again: Float32Array): number {
  return norm(again.map((value, i) => value - values[i])) / norm(again);
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
