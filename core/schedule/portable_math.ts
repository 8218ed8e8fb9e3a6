/**
 * Elementary functions by +, -, *, / and bit patterns alone, which IEEE 754 fixes to the last bit.
 * ECMAScript leaves `Math.exp` and its kin to the engine, and engines differ in the last place:
 * a plan made from these is the same number for number in every runtime, so it can be hashed.
 * Within 2 units in the last place of the true value, except where a comment says otherwise.
 */

/** ln 2 in two parts: the first has 21 trailing zero bits, so that its product with k is exact. */
const LN2_HIGH = 6.93147180369123816490e-1;
const LN2_LOW = 1.90821492927058770002e-10;

/** e^x for finite x; 0 below the smallest normal number. */
export function exp(x: number): number {
  const k = Math.round(x / LN2_HIGH);
  if (k > 1023) return Infinity;
  if (k < -1022) return 0;
  return (1 + expTail(x - k * LN2_HIGH - k * LN2_LOW)) * powerOfTwo(k);
}

/** e^x - 1, without cancellation near zero. */
export function expm1(x: number): number {
  return Math.abs(x) < 0.5 ? expTail(x) : exp(x) - 1;
}

/** The Taylor series of e^r - 1, for |r| <= 1/2: the first term left out is below 2^-58. */
function expTail(r: number): number {
  let sum = 0;
  for (let n = 16; n > 1; n--) sum = (sum + 1) * r / n;
  return (sum + 1) * r;
}

/** ln x for finite x > 0. */
export function log(x: number): number {
  if (!(x > 0) || x === Infinity) return Math.log(x);
  const [mantissa, exponent] = split(x);
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let n = 23; n > 1; n -= 2) series = (series + 1 / n) * square;
  return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * s * series + 2 * s);
}

/** x^y for x >= 0: within |y ln x| + 2 units in the last place. */
export function power(x: number, y: number): number {
  if (x === 0) return y === 0 ? 1 : 0;
  return exp(y * log(x));
}

/** cos x for |x| <= 2: its Taylor series, within 2^-52 absolutely. */
export function cos(x: number): number {
  let sum = 1;
  for (let n = 24; n > 1; n -= 2) sum = 1 - sum * x * x / (n * (n - 1));
  return sum;
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** 2^k for -1022 <= k <= 1023, by its exponent bits. */
function powerOfTwo(k: number): number {
  words[0] = 0;
  words[1] = (k + 1023) << 20;
  return float[0];
}

/** x = mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)). */
function split(x: number): readonly [mantissa: number, exponent: number] {
  const subnormal = x < 2 ** -1022;
  float[0] = subnormal ? x * 2 ** 52 : x;
  const exponent = ((words[1] >>> 20) & 0x7ff) - 1023 - (subnormal ? 52 : 0);
  words[1] = (words[1] & 0x000fffff) | 0x3ff00000;
  return float[0] < Math.SQRT2 ? [float[0], exponent] : [float[0] / 2, exponent + 1];
}
