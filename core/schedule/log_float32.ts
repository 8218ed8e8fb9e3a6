/**
 * numpy's single-precision natural logarithm, to the bit: a minimax quotient of polynomials on
 * [1/sqrt(2), sqrt(2)]. Off by a last bit from the rounded logarithm at one value in five, which
 * shows in timesteps that are interpolated from it.
 * @param x f32-valued, positive and normal.
 */
export function logFloat32(x: number): number {
  const [mantissa, exponent] = split(x);
  const t = mantissa - 1;
  return f32(exponent * LN2 + f32(polynomial(NUMERATOR, t) / polynomial(DENOMINATOR, t)));
}

const f32 = Math.fround;
const LN2 = f32(Math.LN2);

const NUMERATOR = [
  2.589979117907922693523e-2,
  3.808837741388407920751e-1,
  1.480000633576506585156,
  2.112677543073053063722,
  9.999999999999998702752e-1,
  0,
].map(f32);

const DENOMINATOR = [
  5.875095403124574342950e-3,
  1.546476374983906719538e-1,
  9.864942958519418960339e-1,
  2.453006071784736363091,
  2.612677543073109236779,
  1,
].map(f32);

// One for all calls: a plan takes a thousand logarithms, and making these took longer.
const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** x = mantissa * 2^exponent with the mantissa nearest to 1. */
function split(x: number): readonly [mantissa: number, exponent: number] {
  float[0] = x;
  const exponent = (word[0] >>> 23) - 127;
  const mantissa = x / 2 ** exponent;
  return mantissa > f32(Math.SQRT2) ? [mantissa / 2, exponent + 1] : [mantissa, exponent];
}

/** Horner's rule with fused multiply-adds: one rounding a term. */
function polynomial(coefficients: readonly number[], t: number): number {
  return coefficients.reduce((value, coefficient) => f32(value * t + coefficient));
}
