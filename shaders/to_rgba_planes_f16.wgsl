// Planes as f16, read as bits, two a word.
@group(0) @binding(1) var<storage, read> planes: array<u32>;

// `count` values from element `start` on, zeros after them.
fn loadPlane(start: u32, count: u32) -> vec4f {
  var half = vec4u(0u);
  for (var lane = 0u; lane < count; lane++) {
    let element = start + lane;
    half[lane] = (planes[element / 2u] >> (16u * (element & 1u))) & 0xffffu;
  }
  return halfValue(half);
}
