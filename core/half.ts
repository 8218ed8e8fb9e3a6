/**
 * IEEE 754 binary16 as the bits in a Uint16Array: the one form of float16 that every runtime of
 * onnxruntime takes, with or without the engine's own Float16Array.
 */

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The nearest binary16 of a number (ties to even), as bits. Above 65519 it is infinity. */
export function halfBits(value: number): number {
  float[0] = value;
  const bits = word[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | overflow(magnitude);
  if (magnitude < 0x38800000) return sign | subnormal(magnitude);
  // Rebias the exponent by 112 and round the 13 dropped bits to even; a carry may reach infinity.
  return sign | ((magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1)) >>> 13);
}

function overflow(magnitude: number): number {
  return magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
}

/** Below 2^-14: adding 0.5 lets the float32 adder shift and round to multiples of 2^-24. */
function subnormal(magnitude: number): number {
  word[0] = magnitude;
  float[0] += 0.5;
  return word[0] - 0x3f000000;
}

let table: Float32Array | undefined;

/** Every binary16 as float32: 65,536 entries, 256 KiB, made when first needed. */
function halfTable(): Float32Array {
  return table ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @returns u16[n] bits of the values rounded to binary16. */
export function toHalf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = halfBits(values[i]);
  return bits;
}

/** @returns f32[n] of binary16 bits, exact. */
export function fromHalf(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const all = halfTable();
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = all[bits[i]];
  return values;
}

/** @returns f32[n] of bfloat16 bits, exact: they are the upper half of a float32. */
export function fromBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return new Float32Array(words.buffer);
}

/** @returns u16[n] bits of the values rounded to bfloat16, ties to even; NaN stays NaN. */
export function toBfloat16(values: Float32Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(
    words,
    (word, i) => Number.isNaN(values[i]) ? 0x7fc0 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16,
  );
}

/** Rounds in place to what a float16 store would have kept. @returns the same array. */
export function roundHalf(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const all = halfTable();
  for (let i = 0; i < values.length; i++) values[i] = all[halfBits(values[i])];
  return values;
}

/** Whether no value is an infinity or NaN, whose exponents are all ones. @param bits u16[n] of binary16. */
export function allFiniteHalf(bits: Uint16Array): boolean {
  for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7c00) === 0x7c00) return false;
  return true;
}
