// Box-Muller on pairs of random words. WGSL promises little for log, sin and cos (their absolute
// error may be 2^-11), so they are polynomials here. CPU reference: core/noise/gaussian.ts, to 2e-6.

// -ln((word + 1/2) / 2^32). Near one the distance to one is taken from the word itself, where
// the float32 of the word would have lost it. Polynomial: FreeBSD's logf, relative error 2^-34.
fn minusLog(word: vec4u) -> vec4f {
  let nearOne = word >= vec4u(0xb504f334u);
  let below = (vec4f(~word) + vec4f(0.5)) * 2.3283064365386963e-10;
  let bits = bitcast<vec4u>(vec4f(word) + vec4f(0.5)) + vec4u(0x004afb0du);
  let mantissa = bitcast<vec4f>((bits & vec4u(0x7fffffu)) + vec4u(0x3f3504f3u));
  let twos = select(vec4f(159.0) - vec4f(bits >> vec4u(23u)), vec4f(0.0), nearOne);
  let f = select(mantissa - vec4f(1.0), -below, nearOne);
  let s = f / (f + vec4f(2.0));
  let z = s * s;
  let w = z * z;
  let r = z * (w * 0.28498786688 + vec4f(0.66666662693)) +
    w * (w * 0.24279078841 + vec4f(0.40000972152));
  let half = 0.5 * f * f;
  return twos * 0.69314718056 + (half - s * (half + r) - f);
}

// sqrt may be off by some units in the last place; one step of Heron's leaves about one.
fn root(square: vec4f) -> vec4f {
  let r = sqrt(square);
  return 0.5 * (r + square / r);
}

// sin(2 pi (word + 1/2) / 2^32): the quadrant from the word's top bits, then polynomials of Cephes
// (sinf, cosf) on [-pi/4, pi/4].
fn sineOfTurn(word: vec4u) -> vec4f {
  let turned = word + vec4u(0x20000000u);
  let quadrant = turned >> vec4u(30u);
  let offset = vec4f(bitcast<vec4i>(turned & vec4u(0x3fffffffu)) - vec4i(0x20000000));
  let x = (offset + vec4f(0.5)) * 1.4629180792671596e-9;
  let z = x * x;
  let sine = x + x * z *
    (vec4f(-1.6666654611e-1) + z * (vec4f(8.3321608736e-3) + z * -1.9515295891e-4));
  let cosine = vec4f(1.0) - 0.5 * z + z * z *
    (vec4f(4.166664568298827e-2) + z * (vec4f(-1.388731625493765e-3) + z * 2.443315711809948e-5));
  let value = select(sine, cosine, (quadrant & vec4u(1u)) == vec4u(1u));
  return select(value, -value, quadrant >= vec4u(2u));
}

// Unit Gaussian noise of four elements: gaussianNoise(seed, draw)[element].
fn gaussian(seed: vec2u, draw: u32, element: vec4u) -> vec4f {
  let words = philox(seed, draw, element);
  return root(2.0 * minusLog(words.first)) * sineOfTurn(words.second);
}
