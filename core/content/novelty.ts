import { AppError } from "../error.ts";
import { HASH_BITS, hashDistance } from "../image/mod.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { bounded, type Score } from "./score.ts";

/** How new a picture is among others. */
export interface Novelty extends Score {
  /** Place of the nearest one; undefined where there are none. */
  readonly nearest: number | undefined;
  /** Whether the nearest is the same picture: scaled, mirrored, compressed or retouched. */
  readonly duplicate: boolean;
}

/** Distance of embeddings, 1 - cosine, at which a picture is wholly new: unrelated ones lie beyond it. */
const WHOLLY_NEW = 0.5;
/** Of one picture, however it was saved, so many bits of its hash differ at most. */
const MAX_BITS = HASH_BITS / 8;
/** And so much of a quarter's mean colour: the hash alone does not see colours. */
const MAX_LEVELS = 40;
/** How far saving a picture anew, scaled or as a JPEG, moves its embedding at most. */
const MOVED = 0.02;

/**
 * How new a picture is: the distance to the nearest of what was published before, by embedding; 0 for a
 * near-duplicate by perceptual hash. Wholly new where nothing was published.
 * Limits: a ground outweighs what stands on it, so another subject before the same forest is half new;
 * it compares what lies where, not what is meant, so a picture turned by a quarter or cropped to a half is
 * new to it, and so is another style of the same motif; it knows no picture that it was not given.
 * A network's embedding of unit length may stand in for the fixed one, in all fingerprints alike.
 */
export function noveltyOf(picture: Fingerprint, published: readonly Fingerprint[]): Novelty {
  const duplicate = published.findIndex((other) => samePicture(picture, other));
  if (duplicate >= 0) return { value: 0, uncertainty: 0, nearest: duplicate, duplicate: true };
  const distances = published.map((other) => distance(picture.embedding, other.embedding));
  const least = distances.reduce((least, each) => Math.min(least, each), WHOLLY_NEW);
  const nearest = distances.length ? nearestOf(distances) : undefined;
  const value = bounded(least / WHOLLY_NEW);
  return { value, uncertainty: MOVED / WHOLLY_NEW, nearest, duplicate: false };
}

function nearestOf(distances: readonly number[]): number {
  return distances.reduce((best, each, k) => each < distances[best] ? k : best, 0);
}

function samePicture(picture: Fingerprint, other: Fingerprint): boolean {
  const [own, mirror] = picture.hashes.map((hash) => hashDistance(hash, other.hashes[0]));
  return own <= MAX_BITS && alike(picture.colours, other.colours) ||
    mirror <= MAX_BITS && alike(inMirror(picture.colours), other.colours);
}

function alike(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, k) => Math.abs(value - b[k]) <= MAX_LEVELS);
}

/** Left quarters for right ones. */
function inMirror(colours: readonly number[]): number[] {
  return [1, 0, 3, 2].flatMap((quarter) => colours.slice(3 * quarter, 3 * quarter + 3));
}

function distance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) {
    throw new AppError(
      "shape_mismatch",
      `Cannot compare embeddings: lengths are ${a.length} and ${b.length}`,
    );
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return 1 - sum;
}
