// Float16 in integer arithmetic: no adapter's rounding mode, denormal flushing or fast math gets in.
// CPU reference: core/half.ts, bit for bit.

// The nearest float16 (ties to even) of four numbers, in the low 16 bits of each.
fn halfBits(value: vec4f) -> vec4u {
  let bits = bitcast<vec4u>(value);
  let sign = (bits >> vec4u(16u)) & vec4u(0x8000u);
  let magnitude = bits & vec4u(0x7fffffffu);
  // Rebias the exponent by 112; the 13 dropped bits round to even, and a carry may reach infinity.
  let odd = (magnitude >> vec4u(13u)) & vec4u(1u);
  var half = (magnitude - vec4u(0x38000000u) + vec4u(0x0fffu) + odd) >> vec4u(13u);
  half = select(half, vec4u(0x7c00u), magnitude >= vec4u(0x47800000u));
  half = select(half, vec4u(0x7e00u), magnitude > vec4u(0x7f800000u));
  if (any(magnitude < vec4u(0x38800000u))) {
    half = select(half, subnormalHalf(magnitude), magnitude < vec4u(0x38800000u));
  }
  return sign | half;
}

// Below 2^-14: the significand in units of 2^-24. From shift 25 on everything rounds to zero.
fn subnormalHalf(magnitude: vec4u) -> vec4u {
  let exponent = min(magnitude >> vec4u(23u), vec4u(112u));
  let significand = (magnitude & vec4u(0x7fffffu)) | vec4u(0x800000u);
  let shift = min(vec4u(126u) - exponent, vec4u(25u));
  let odd = (significand >> shift) & vec4u(1u);
  return (significand + (vec4u(1u) << (shift - vec4u(1u))) - vec4u(1u) + odd) >> shift;
}

// Four float16 as float32, exact.
fn halfValue(half: vec4u) -> vec4f {
  let sign = (half & vec4u(0x8000u)) << vec4u(16u);
  let magnitude = half & vec4u(0x7fffu);
  var bits = (magnitude << vec4u(13u)) + vec4u(0x38000000u);
  bits = select(bits, bits + vec4u(0x38000000u), magnitude >= vec4u(0x7c00u));
  let subnormal = bitcast<vec4u>(vec4f(magnitude) * 5.9604644775390625e-8);
  bits = select(bits, subnormal, magnitude < vec4u(0x0400u));
  return bitcast<vec4f>(sign | bits);
}

// Two float16 a word, the first in the low half.
fn packHalf(half: vec4u) -> vec2u {
  return half.xz | (half.yw << vec2u(16u));
}

fn unpackHalf(words: vec2u) -> vec4u {
  return vec4u(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
}

// A float16 of four numbers: as numbers, and as bits, two a word.
struct Rounded {
  value: vec4f,
  words: vec2u,
}

// The nearest float16 of four numbers. Integers round what is normal; below 2^-14 the unit is 2^-24, by
// which a product is exact. No branch, and no shift that differs between the four: adapters that
// compute on the CPU pay for both sides of the one, and for the other four times.
fn roundToHalf(value: vec4f) -> Rounded {
  let bits = bitcast<vec4u>(value);
  let magnitude = bits & vec4u(0x7fffffffu);
  let sign = bits ^ magnitude;
  let odd = (magnitude >> vec4u(13u)) & vec4u(1u);
  let rounded = (magnitude + vec4u(0x0fffu) + odd) & vec4u(0xffffe000u);
  // From 65520 on there is only infinity, and NaN.
  let large = magnitude >= vec4u(0x477ff000u);
  let end = select(vec4u(0x7f800000u), vec4u(0x7fc00000u), magnitude > vec4u(0x7f800000u));
  let small = magnitude < vec4u(0x38800000u);
  let units = round(bitcast<vec4f>(magnitude) * 16777216.0);
  let tiny = bitcast<vec4u>(units * 5.9604644775390625e-8);
  let number = select(select(rounded, end, large), tiny, small);
  let normal = (rounded - vec4u(0x38000000u)) >> vec4u(13u);
  let ending = (end >> vec4u(13u)) & vec4u(0x7fffu);
  let half = select(select(normal, ending, large), vec4u(units), small);
  return Rounded(bitcast<vec4f>(sign | number), packHalf((sign >> vec4u(16u)) | half));
}

// The same by WGSL's own conversion, which leaves open how ties round and what lies beyond a float16:
// only for adapters on which the kernels' tests find every float16's midpoints rounded as above.
fn roundByBuiltin(value: vec4f) -> Rounded {
  let bits = bitcast<vec4u>(value);
  let magnitude = bits & vec4u(0x7fffffffu);
  // What is not above 2^-25 is zero, and 65520 is the first infinity.
  let within = select(min(magnitude, vec4u(0x477ff000u)), vec4u(0u), magnitude <= vec4u(0x33000000u));
  let near = bitcast<vec4f>((bits ^ magnitude) | within);
  let none = select(vec4u(0u), vec4u(0x0200u), magnitude > vec4u(0x7f800000u));
  let words = vec2u(pack2x16float(near.xy), pack2x16float(near.zw)) | packHalf(none);
  return Rounded(vec4f(unpack2x16float(words.x), unpack2x16float(words.y)), words);
}
