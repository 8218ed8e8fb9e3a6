// cv2.GaussianBlur(image, (2 * RADIUS + 1, same), 0) of an RGBA8 image, RADIUS 1 or 2: binomial
// weights, borders mirrored about the outermost pixel, one rounding at the end (half up). Alpha is
// kept. CPU reference: gaussianBlurReference.
// rgba, blurred: u32[height, width], R lowest.
override WORKGROUP: u32 = 256;
override RADIUS: i32 = 1;

struct Parameters {
  width: u32,
  height: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> rgba: array<u32>;
@group(0) @binding(2) var<storage, read_write> blurred: array<u32>;

// Mirrors an index into 0..length-1 without repeating the edge; a side of one pixel has only itself.
fn mirrored(index: i32, length: i32) -> i32 {
  var i = index;
  for (var turn = 0; turn < 4 && (i < 0 || i >= length); turn++) {
    i = select(abs(i), 2 * (length - 1) - i, i >= length);
  }
  return select(i, 0, length == 1);
}

// 1 2 1, or 1 4 6 4 1.
fn weight(offset: i32) -> u32 {
  let distance = abs(offset);
  if (RADIUS == 1) {
    return select(1u, 2u, distance == 0);
  }
  return select(select(1u, 4u, distance == 1), 6u, distance == 0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= parameters.width * parameters.height) {
    return;
  }
  let x = i32(id.x % parameters.width);
  let y = i32(id.x / parameters.width);
  var sum = vec3u(0u);
  for (var dy = -RADIUS; dy <= RADIUS; dy++) {
    for (var dx = -RADIUS; dx <= RADIUS; dx++) {
      let column = u32(mirrored(x + dx, i32(parameters.width)));
      let row = u32(mirrored(y + dy, i32(parameters.height)));
      let word = rgba[row * parameters.width + column];
      let colour = vec3u(word & 0xffu, (word >> 8u) & 0xffu, (word >> 16u) & 0xffu);
      sum += weight(dx) * weight(dy) * colour;
    }
  }
  let bits = u32(4 * RADIUS);
  let mean = (sum + vec3u(1u << (bits - 1u))) >> vec3u(bits);
  blurred[id.x] = mean.x | (mean.y << 8u) | (mean.z << 16u) | (rgba[id.x] & 0xff000000u);
}
