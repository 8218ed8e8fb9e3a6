// Sobel 3x3 of an RGBA8 image (alpha unread) with repeated borders: at each pixel the gradient of
// the channel where |dx| + |dy| is largest, the first of equals. CPU reference: cannyReference.
// rgba: u32[height, width], R lowest.  gradient: u32[height, width], dx low and dy high, i16 each.
override WORKGROUP: u32 = 256;

struct Parameters {
  width: u32,
  height: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rgba: array<u32>;
@group(0) @binding(2) var<storage, read_write> gradient: array<u32>;

fn pixel(x: i32, y: i32) -> vec3i {
  let column = clamp(x, 0, i32(parameters.width) - 1);
  let row = clamp(y, 0, i32(parameters.height) - 1);
  let word = rgba[u32(row) * parameters.width + u32(column)];
  return vec3i(vec3u(word & 0xffu, (word >> 8u) & 0xffu, (word >> 16u) & 0xffu));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= parameters.width * parameters.height) {
    return;
  }
  let x = i32(id.x % parameters.width);
  let y = i32(id.x / parameters.width);
  let topLeft = pixel(x - 1, y - 1);
  let topRight = pixel(x + 1, y - 1);
  let bottomLeft = pixel(x - 1, y + 1);
  let bottomRight = pixel(x + 1, y + 1);
  let dx = topRight + bottomRight - topLeft - bottomLeft + 2 * (pixel(x + 1, y) - pixel(x - 1, y));
  let dy = bottomLeft + bottomRight - topLeft - topRight + 2 * (pixel(x, y + 1) - pixel(x, y - 1));
  let size = abs(dx) + abs(dy);
  var best = vec2i(dx.x, dy.x);
  if (size.y > size.x) {
    best = vec2i(dx.y, dy.y);
  }
  if (size.z > max(size.x, size.y)) {
    best = vec2i(dx.z, dy.z);
  }
  gradient[id.x] = (bitcast<u32>(best.x) & 0xffffu) | (bitcast<u32>(best.y) << 16u);
}
