// Non-maximum suppression and the double threshold of Canny, with OpenCV's integer sectors and its
// uneven comparisons. CPU reference: cannyReference.
// gradient: u32[height, width], see canny_gradient.wgsl.  marks: u32[height, width]: 0 none, 1 weak,
// 2 strong.
override WORKGROUP: u32 = 256;

// tan(22.5 degrees) in 15-bit fixed point; tan(67.5 degrees) is that plus two.
const TAN_22 = 13573;

struct Parameters {
  width: u32,
  height: u32,
  low: u32,
  high: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> gradient: array<u32>;
@group(0) @binding(2) var<storage, read_write> marks: array<u32>;

fn gradientAt(at: u32) -> vec2i {
  let word = bitcast<i32>(gradient[at]);
  return vec2i((word << 16u) >> 16u, word >> 16u);
}

// |dx| + |dy|; zero outside the image.
fn size(x: i32, y: i32) -> i32 {
  if (x < 0 || y < 0 || x >= i32(parameters.width) || y >= i32(parameters.height)) {
    return 0;
  }
  let both = abs(gradientAt(u32(y) * parameters.width + u32(x)));
  return both.x + both.y;
}

fn isRidge(x: i32, y: i32, here: i32, slope: vec2i) -> bool {
  let flat = abs(slope.x) * TAN_22;
  let steep = flat + (abs(slope.x) << 16u);
  let rise = abs(slope.y) << 15u;
  if (rise < flat) {
    return here > size(x - 1, y) && here >= size(x + 1, y);
  }
  if (rise > steep) {
    return here > size(x, y - 1) && here >= size(x, y + 1);
  }
  let side = select(1, -1, (slope.x ^ slope.y) < 0);
  return here > size(x - side, y - 1) && here > size(x + side, y + 1);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= parameters.width * parameters.height) {
    return;
  }
  let slope = gradientAt(id.x);
  let here = abs(slope.x) + abs(slope.y);
  var mark = 0u;
  if (here > i32(parameters.low)) {
    let x = i32(id.x % parameters.width);
    let y = i32(id.x / parameters.width);
    if (isRidge(x, y, here, slope)) {
      mark = select(1u, 2u, here > i32(parameters.high));
    }
  }
  marks[id.x] = mark;
}
