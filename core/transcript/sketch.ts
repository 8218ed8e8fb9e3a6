import { hexToBytes } from "@noble/hashes/utils.js";
import { fromHalf } from "../half.ts";
import { philox } from "../noise/mod.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Numbers that sketch one prediction, at most: the bits of a word that are used as signs. */
const MAX_WIDTH = 16;
/** Of all sketches of a receipt, where there are several a step: 4,000 letters of base64, at most. */
const MAX_NUMBERS = 750;

/** Bytes of each number in a receipt: the upper ones alone where there is one number a step and many steps. */
function numberBytes(steps: number): 3 | 4 {
  return steps > MAX_NUMBERS ? 3 : 4;
}

/** One prediction as a few numbers: f32[{@link sketchWidth}]. */
export type PredictionSketch = Float32Array<ArrayBuffer>;

/** How many numbers sketch each prediction of a run of so many steps: 16 for up to 46. */
function sketchWidth(steps: number): number {
  return Math.max(1, Math.min(MAX_WIDTH, Math.floor(MAX_NUMBERS / steps)));
}

/** @returns the sketch of a tensor, f32[n]. */
export type Sketcher = (values: Float32Array) => PredictionSketch;

/**
 * Random projections of a run's tensors: number k is sum(+-v_j) / sqrt(n), signs by the run's own
 * root. The squares' mean estimates that of the tensor, a difference of sketches is the sketch of
 * the difference, and so is every other combination. The signs follow from all leaves together, so
 * that no tensor can be made to look like another.
 * @param root of the Merkle tree, in lower-case hex.
 * @param length n.
 */
export function sketcherOf(root: string, steps: number, length: number): Sketcher {
  const signs = signsOf(root, sketchWidth(steps), length);
  const scale = Math.sqrt(length);
  return (values) => Float32Array.from(signs, (row) => signedSum(row, values) / scale);
}

/** i8[width][length] of 1 and -1: bit k of Philox' first word at counter (j, 0, 0, 0). */
function signsOf(root: string, width: number, length: number): Int8Array[] {
  const key = new DataView(hexToBytes(root).buffer);
  const [key0, key1] = [key.getUint32(0), key.getUint32(4)];
  const signs = Array.from({ length: width }, () => new Int8Array(length));
  const block = new Uint32Array(4);
  for (let j = 0; j < length; j++) {
    block.set([j, 0, 0, 0]);
    philox(block, key0, key1);
    for (let k = 0; k < width; k++) signs[k][j] = (block[0] >>> k) & 1 ? -1 : 1;
  }
  return signs;
}

/** In double precision and in this order, so that everybody has the same bits. */
function signedSum(signs: Int8Array, values: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += signs[j] * values[j];
  return sum;
}

/**
 * A sketch as it is written: without the lowest byte of each number in runs of more than 750 steps, whose
 * sketches would be too long.
 */
export function asWritten(sketch: PredictionSketch, steps: number): PredictionSketch {
  if (numberBytes(steps) === 4) return sketch;
  return new Float32Array(Uint32Array.from(wordsOf(sketch), (word) => word & ~0xff).buffer);
}

/** What leaving out the lowest byte changes a number by, at most, of the number: the last of 15 bits. */
export function writingError(steps: number): number {
  return numberBytes(steps) === 4 ? 0 : 2 ** -15;
}

function wordsOf(sketch: PredictionSketch): Uint32Array {
  return new Uint32Array(sketch.buffer, sketch.byteOffset, sketch.length);
}

/**
 * The sketches of D_0 to D_{N-1} as a receipt has them: float32, little-endian, in base64.
 * @param predictions float16 bits.
 */
export function sketchRun(root: string, predictions: readonly Uint16Array[]): string {
  const sketch = sketcherOf(root, predictions.length, predictions[0].length);
  const size = numberBytes(predictions.length);
  const numbers = predictions.flatMap((bits) => [...wordsOf(sketch(fromHalf(bits)))]);
  const bytes = new Uint8Array(Uint32Array.from(numbers).buffer);
  return encodeBase64(bytes.filter((_, k) => k % 4 >= 4 - size));
}

/**
 * A receipt's sketches of D_0 to D_{N-1}.
 * @returns undefined for a receipt without: those of version 1, and early ones of version 2.
 */
export function sketchesOf(
  { steps, sketch }: { readonly steps: number; readonly sketch?: string | undefined },
): PredictionSketch[] | undefined {
  return sketch === undefined ? undefined : decodeSketch(sketch, steps);
}

/** @returns undefined for what {@link sketchRun} does not write for a run of so many steps. */
export function decodeSketch(text: string, steps: number): PredictionSketch[] | undefined {
  const width = sketchWidth(steps);
  const size = numberBytes(steps);
  const written = decodeBase64(text);
  if (written.length !== size * width * steps || encodeBase64(written) !== text) return undefined;
  const bytes = new Uint8Array(4 * width * steps);
  written.forEach((byte, k) => bytes[4 * Math.floor(k / size) + 4 - size + k % size] = byte);
  const numbers = new Float32Array(bytes.buffer);
  if (!numbers.every(Number.isFinite)) return undefined;
  return Array.from(
    { length: steps },
    (_, step) => numbers.slice(step * width, (step + 1) * width),
  );
}
