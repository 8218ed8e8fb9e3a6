// Philox 4x32-10 of four counters (draw, 0, element, 0) at once: the first two words of each.
// CPU reference: core/noise/philox.ts, bit for bit.

struct PhiloxWords {
  first: vec4u,
  second: vec4u,
}

// The upper 32 bits of 32 x 32 bit products, by 16-bit halves: no partial sum exceeds 32 bits.
fn multiplyHigh(a: u32, b: vec4u) -> vec4u {
  let aLow = vec4u(a & 0xffffu);
  let aHigh = vec4u(a >> 16u);
  let bLow = b & vec4u(0xffffu);
  let bHigh = b >> vec4u(16u);
  let middle = aHigh * bLow + ((aLow * bLow) >> vec4u(16u));
  let carry = aLow * bHigh + (middle & vec4u(0xffffu));
  return aHigh * bHigh + (middle >> vec4u(16u)) + (carry >> vec4u(16u));
}

fn philox(seed: vec2u, draw: u32, element: vec4u) -> PhiloxWords {
  var c0 = vec4u(draw);
  var c1 = vec4u(0u);
  var c2 = element;
  var c3 = vec4u(0u);
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiplyHigh(0xd2511f53u, c0);
    let high1 = multiplyHigh(0xcd9e8d57u, c2);
    let low0 = 0xd2511f53u * c0;
    let low1 = 0xcd9e8d57u * c2;
    c0 = high1 ^ c1 ^ vec4u(key.x);
    c1 = low1;
    c2 = high0 ^ c3 ^ vec4u(key.y);
    c3 = low0;
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return PhiloxWords(c0, c1);
}
