// A run without a mask.
fn blended(row: Row, quad: u32, value: vec4f) -> vec4f {
  return value;
}
