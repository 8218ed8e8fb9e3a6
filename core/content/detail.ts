import { resize, type RgbaImage } from "../image/mod.ts";
import type { Score } from "./score.ts";
import { halved, planesOf, type Structure, structureOf } from "./structure.ts";

/**
 * The picture is looked at in these areas, each the square of a side in pixels: the score is the mean, and
 * how far they lie apart is its uncertainty.
 */
const SIDES = [224, 256];
/** Scales, each an octave below the last. */
const SCALES = 4;
/** Contrast at which an edge counts half, in squared levels a pixel, of three colours together. */
const HALF_CONTRAST = 3 * 10 ** 2;
/** An edge counts by what it has more than its surroundings have across it, and than the picture has nearly everywhere. */
const ACROSS = 3;
const EVERYWHERE = 6;
/** The share of pixels with less across them than what is called everywhere. */
const QUANTILE = 0.25;
/** Edge pixels a pixel at which a scale is 63 % full, by scale: coarser ones have fewer pixels for their edges. */
const FULL = [0.05, 0.06, 0.07, 0.08];

/**
 * How much a picture shows: the density of clear edges at four scales, an octave apart, each between 0 and
 * 1, and their mean. An edge is a ridge of the colours' gradient that points one way over a few pixels;
 * what points every way, as noise does, lowers it.
 * It falls as a picture is blurred, noised or simplified; one that is soft already may gain 0.005 by
 * it, one of grass or sand more.
 * Limits: stars are points and no edges, so a night full of them may count less than a flat ground; what
 * an untrained network smears counts as much as a simple picture; grass, fur and sand look like noise and count little; a checkerboard or text is full of edges
 * and counts much; nothing here knows whether a detail means anything.
 * @returns 0 for a flat picture or pure noise, towards 1 for one full of edges at every scale.
 */
export function detailRichness(image: RgbaImage): Score {
  const values = SIDES.map((side) => measured(image, side));
  const value = values.reduce((sum, each) => sum + each, 0) / values.length;
  return { value, uncertainty: Math.max(...values.map((each) => Math.abs(each - value))) };
}

function measured(image: RgbaImage, side: number): number {
  let planes = planesOf(resize(image, sizeOfArea(image, side)));
  let sum = 0;
  for (let scale = 0; scale < SCALES; scale++) {
    if (scale > 0) planes = halved(planes);
    sum += 1 - Math.exp(-edgeDensity(structureOf(planes)) / FULL[scale]);
  }
  return sum / SCALES;
}

/** Of the same shape and about the square's area; no side below the coarsest scale's. */
function sizeOfArea({ width, height }: RgbaImage, side: number) {
  const ratio = Math.sqrt(width / height);
  const least = 4 * 2 ** (SCALES - 1);
  return {
    width: Math.max(Math.round(side * ratio), least),
    height: Math.max(Math.round(side / ratio), least),
  };
}

/** Edges a pixel, each by its contrast: half at {@link HALF_CONTRAST}. */
function edgeDensity(structure: Structure): number {
  const { along, across } = structure;
  const everywhere = EVERYWHERE * quantile(across, QUANTILE);
  let sum = 0;
  for (let i = 0; i < along.length; i++) {
    const excess = along[i] - ACROSS * across[i] - everywhere;
    if (excess > 0 && isRidge(structure, i)) sum += excess / (excess + HALF_CONTRAST);
  }
  return sum / along.length;
}

function quantile(values: Float64Array, share: number): number {
  return values.toSorted()[Math.floor(share * values.length)];
}

/** cos(45 degrees): directions are told apart by the double angle, in eighths. */
const DIAGONAL = Math.SQRT1_2;

/** Whether the change is strongest here, of the three pixels in its direction. The border is none. */
function isRidge({ width, height, along, cosine2, sine2 }: Structure, i: number): boolean {
  const [x, y] = [i % width, Math.floor(i / width)];
  if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return false;
  const step = cosine2[i] > DIAGONAL
    ? 1
    : cosine2[i] < -DIAGONAL
    ? width
    : sine2[i] > 0
    ? width + 1
    : width - 1;
  return along[i] > along[i - step] && along[i] >= along[i + step];
}
