// The source's latent in fours, then the mask on each of its elements: 1 where the image is made anew.
@group(0) @binding(6) var<storage, read> source: array<vec4f>;

// The next state where the mask makes it anew, the source at its noise level elsewhere.
fn blended(row: Row, quad: u32, value: vec4f) -> vec4f {
  // The run's start is not blended.
  if (row.blendSource == 0.0) {
    return value;
  }
  let quads = (row.n + 3u) / 4u;
  var kept = row.blendSource * source[quad];
  if (row.blendNoise != 0.0) {
    let element = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u);
    kept += row.blendNoise * gaussian(vec2u(row.seedLow, row.seedHigh), 0u, element);
  }
  let mask = source[quads + quad];
  return mask * value + (vec4f(1.0) - mask) * kept;
}
