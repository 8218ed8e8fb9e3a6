// Planes [images, 3, pixels] in [-1, 1] to opaque RGBA8, one word a pixel, R lowest; values outside
// are clamped. CPU reference: toRgba (core/image/image.ts); a level may differ by one where
// (value + 1) * 127.5 lies within float32 rounding of a tie.
// rgba: u32[images, pixels].  strange: u32[images], how many values were NaN (shown as 0) or
// infinite. loadPlanes: see to_rgba_planes_*.wgsl.
override WORKGROUP: u32 = 256;

struct Parameters {
  pixels: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(2) var<storage, read_write> rgba: array<u32>;
@group(0) @binding(3) var<storage, read_write> strange: array<atomic<u32>>;

// The level of each value, 0 to 255. Clamped by comparisons that fail for NaN, tested by its bits.
fn levels(value: vec4f) -> vec4u {
  let magnitude = bitcast<vec4u>(value) & vec4u(0x7fffffffu);
  let number = select(clamp(value, vec4f(-1.0), vec4f(1.0)), vec4f(-1.0), magnitude > vec4u(0x7f800000u));
  return vec4u(floor(number * 127.5 + vec4f(128.0)));
}

fn oddOnes(value: vec4f) -> vec4u {
  let odd = (bitcast<vec4u>(value) & vec4u(0x7f800000u)) == vec4u(0x7f800000u);
  return select(vec4u(0u), vec4u(1u), odd);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let pixels = parameters.pixels;
  let first = 4u * id.x;
  if (first >= pixels) {
    return;
  }
  let start = 3u * id.y * pixels + first;
  let count = min(4u, pixels - first);
  let red = loadPlane(start, count);
  let green = loadPlane(start + pixels, count);
  let blue = loadPlane(start + 2u * pixels, count);
  let words = levels(red) | (levels(green) << vec4u(8u)) | (levels(blue) << vec4u(16u)) |
    vec4u(0xff000000u);
  for (var lane = 0u; lane < count; lane++) {
    rgba[id.y * pixels + first + lane] = words[lane];
  }
  let odd = dot(oddOnes(red) + oddOnes(green) + oddOnes(blue), vec4u(1u));
  if (odd > 0u) {
    atomicAdd(&strange[id.y], odd);
  }
}
