// Planes as f32, element by element.
@group(0) @binding(1) var<storage, read> planes: array<f32>;

// `count` values from element `start` on, zeros after them.
fn loadPlane(start: u32, count: u32) -> vec4f {
  var value = vec4f(0.0);
  for (var lane = 0u; lane < count; lane++) {
    value[lane] = planes[start + lane];
  }
  return value;
}
