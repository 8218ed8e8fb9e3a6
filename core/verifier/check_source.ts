import { fromHalf, toHalf } from "../half.ts";
import type { SourceImages } from "../generation/mod.ts";
import { hardMask, latentMask } from "../image/mod.ts";
import type { Source } from "../schedule/mod.ts";
import type { LatentShape } from "../transcript/mod.ts";

/** What a run started from against the files that its request names. */
export interface SourceComparison {
  /**
   * The committed latent against what the VAE's encoder makes of the image, at the position where they are
   * furthest apart: 8 by 8 pixels, whose difference is a share of the latent's size on average. Of that and
   * of what the mask keeps of it, where the network reads this, the larger.
   */
  readonly error: number;
  readonly tolerance: number;
  /** Elements of the mask that are not the file's; 0 without one. */
  readonly maskDiffering: number;
}

/**
 * Ten times the largest of nine pictures of 256x256 by the embedded model's encoder on the CPU: 4.5e-4 on
 * a software GPU, 2.1e-3 by float16 weights. JPEG is decoded alike everywhere. A square of 16 pixels that
 * is 10 levels off comes to 0.19 and more, one of 4 pixels that is inverted to 0.39: over the whole
 * latent, as one norm, to 0.011 and 0.016.
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
  const ofImage = furthest(source.latent, fromHalf(encoded.latent), latent);
  const ofKept = kept && encoded.kept ? furthest(kept, fromHalf(encoded.kept), latent) : 0;
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

/** @returns the largest root mean square over a position's channels, over that of all of `again`. */
function furthest(
  values: Float32Array,
  again: Float32Array,
  [, height, width]: LatentShape,
): number {
  const plane = height * width;
  const squares = new Float64Array(plane);
  for (const [i, value] of again.entries()) squares[i % plane] += (value - values[i]) ** 2;
  const size = again.reduce((sum, value) => sum + value * value, 0) / plane;
  return Math.sqrt(squares.reduce((most, each) => Math.max(most, each), 0) / size);
}
