// Seeded Gaussian noise for a batch. seeds: u32[images][low, high]  values: f32[images, n], each
// image padded to a multiple of four with zeros. CPU reference: gaussianNoise (core/noise), times
// scale, rounded to float16 where ROUND is true.
override WORKGROUP: u32 = 256;
override ROUND: bool = false;

struct Parameters {
  n: u32,
  draw: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> seeds: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quads = (parameters.n + 3u) / 4u;
  if (id.x >= quads) {
    return;
  }
  let element = vec4u(4u * id.x) + vec4u(0u, 1u, 2u, 3u);
  var value = parameters.scale * gaussian(seeds[id.y], parameters.draw, element);
  if (ROUND) {
    value = halfValue(halfBits(value));
  }
  values[id.y * quads + id.x] = select(vec4f(0.0), value, element < vec4u(parameters.n));
}
