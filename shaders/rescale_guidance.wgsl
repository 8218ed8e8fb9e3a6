// Takes the deviation of guided predictions back to that of the prompt's alone, in the step's own
// weights: what guidance says is multiplied by share * deviation(p) / deviation(g) + 1 - share, where
// g = scale * p + (1 - scale) * q of the rows p and q of the network's output.
// One workgroup an image, which adds up in an order that its size alone decides.
// networkOutput: f32[rows, n], or f16 two a word.  CPU reference: rescaling (core/schedule).
override WORKGROUP: u32 = 256;
// Whether the network's output is in float16.
override HALF: bool = false;

struct Rescale {
  // The weights of the two outputs, not rescaled yet.
  fromPositive: f32,
  fromNegative: f32,
  scale: f32,
  share: f32,
  n: u32,
  positiveRow: u32,
  negativeRow: u32,
}

@group(0) @binding(0) var<storage, read> rescales: array<Rescale>;
@group(0) @binding(1) var<storage, read> networkOutput: array<u32>;
@group(0) @binding(2) var<storage, read_write> rows: array<Row>;

// As many as the largest workgroup.
var<workgroup> sums: array<vec2f, 256>;

fn outputAt(at: u32) -> f32 {
  if (HALF) {
    return unpack2x16float(networkOutput[at / 2u])[at % 2u];
  }
  return bitcast<f32>(networkOutput[at]);
}

// An element of the prompt's prediction, and of the guided one.
fn pair(own: Rescale, element: u32) -> vec2f {
  let positive = outputAt(own.positiveRow * own.n + element);
  let negative = outputAt(own.negativeRow * own.n + element);
  return vec2f(positive, own.scale * positive + (1.0 - own.scale) * negative);
}

// The sum over all threads, the same for each.
fn total(thread: u32, part: vec2f) -> vec2f {
  sums[thread] = part;
  workgroupBarrier();
  for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
    if (thread < width) {
      sums[thread] += sums[thread + width];
    }
    workgroupBarrier();
  }
  let all = sums[0];
  workgroupBarrier();
  return all;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
  let own = rescales[group.y];
  var sum = vec2f(0.0);
  for (var j = local.x; j < own.n; j += WORKGROUP) {
    sum += pair(own, j);
  }
  let mean = total(local.x, sum) / f32(own.n);
  // A second time over all: squares of what is far from zero would lose what varies.
  var squares = vec2f(0.0);
  for (var j = local.x; j < own.n; j += WORKGROUP) {
    let off = pair(own, j) - mean;
    squares += off * off;
  }
  let spread = total(local.x, squares);
  if (local.x == 0u) {
    let factor = own.share * sqrt(spread.x / spread.y) + 1.0 - own.share;
    rows[group.y].fromPositive = factor * own.fromPositive;
    rows[group.y].fromNegative = factor * own.fromNegative;
  }
}
