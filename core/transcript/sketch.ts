import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { fromHalf } from "../half.ts";
import { philox } from "../noise/mod.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Numbers that sketch one prediction, at most: the bits of a word that are used as signs. */
const MAX_WIDTH = 16;
/** Of all sketches of a receipt, while there is one number a step: 4,000 letters of base64. */
const MAX_NUMBERS = 750;

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
 * The sketches of D_0 to D_{N-1} as a receipt has them: float32, little-endian, in base64.
 * @param predictions float16 bits.
 */
export function sketchRun(root: string, predictions: readonly Uint16Array[]): string {
  const sketch = sketcherOf(root, predictions.length, predictions[0].length);
  const sketches = predictions.map((bits) => new Uint8Array(sketch(fromHalf(bits)).buffer));
  return encodeBase64(concatBytes(...sketches));
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
  const bytes = decodeBase64(text);
  if (bytes.length !== 4 * width * steps || encodeBase64(bytes) !== text) return undefined;
  const numbers = new Float32Array(bytes.buffer);
  if (!numbers.every(Number.isFinite)) return undefined;
  return Array.from(
    { length: steps },
    (_, step) => numbers.slice(step * width, (step + 1) * width),
  );
}
