// One step of a plan for a batch of images, each by a row of its own: guidance, conversion of the
// network's output to D_i, float16 rounding, linear combination, noise, float16 rounding, and the
// network's next input. CPU reference: stepLatent (core/denoise/step.ts).
//
// ring: f32 tensors of images, each padded to a multiple of four; rows name the places, in fours.
// stateBits, denoisedBits: u16[images, n] of x_{i+1} and D_i, padded the same way.
// networkOutput, networkInput: [rows, n] as the network has them, see step_network_*.wgsl.
// A run with a mask blends each next state with the source, see step_blend.wgsl.
override WORKGROUP: u32 = 256;
// Fours of elements that a thread takes.
override QUADS: u32 = 1;
// Which terms there are, by the bits below, so that a pipeline has the code of its own row alone;
// 0 looks at the weights of each row instead. Either way a weight of zero reads nothing, and so
// makes no NaN of an infinity.
override TERMS: u32 = 0;
// Whether float16 comes from WGSL's own conversion, see half.wgsl.
override BUILTIN_HALF: bool = false;

const FROM_X = 1u;
const FROM_POSITIVE = 2u;
const FROM_NEGATIVE = 4u;
const STATE0 = 8u;
const STATE1 = 16u;
const STATE2 = 32u;
const STATE3 = 64u;
const DENOISED0 = 128u;
const DENOISED1 = 256u;
const DENOISED2 = 512u;
const DENOISED3 = 1024u;
const NOISE = 2048u;

const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> rows: array<Row>;
@group(0) @binding(3) var<storage, read_write> ring: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> stateBits: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> denoisedBits: array<vec2u>;

fn has(term: u32, weight: f32) -> bool {
  if (TERMS == 0u) {
    return weight != 0.0;
  }
  return (TERMS & term) != 0u;
}

// D_i before rounding.
fn predict(row: Row, quad: u32, x: vec4f) -> vec4f {
  var sum = vec4f(0.0);
  if (has(FROM_X, row.fromX)) {
    sum = row.fromX * x;
  }
  if (has(FROM_POSITIVE, row.fromPositive)) {
    sum += row.fromPositive * loadOutput(row.positiveRow, row.n, quad);
  }
  if (has(FROM_NEGATIVE, row.fromNegative)) {
    sum += row.fromNegative * loadOutput(row.negativeRow, row.n, quad);
  }
  return sum;
}

fn past(term: u32, weight: f32, at: u32) -> vec4f {
  if (has(term, weight)) {
    return weight * ring[at];
  }
  return vec4f(0.0);
}

// x_{i+1} before rounding.
fn combine(row: Row, quad: u32, x: vec4f, d: vec4f) -> vec4f {
  var sum = vec4f(0.0);
  if (has(STATE0, row.states.x)) {
    sum = row.states.x * x;
  }
  if (has(DENOISED0, row.denoised.x)) {
    sum += row.denoised.x * d;
  }
  sum += past(DENOISED1, row.denoised.y, row.denoisedAt.y + quad);
  sum += past(DENOISED2, row.denoised.z, row.denoisedAt.z + quad);
  sum += past(DENOISED3, row.denoised.w, row.denoisedAt.w + quad);
  sum += past(STATE1, row.states.y, row.stateAt.y + quad);
  sum += past(STATE2, row.states.z, row.stateAt.z + quad);
  sum += past(STATE3, row.states.w, row.stateAt.w + quad);
  if (has(NOISE, row.noise)) {
    let element = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u);
    sum += row.noise * gaussian(vec2u(row.seedLow, row.seedHigh), row.draw, element);
  }
  return sum;
}

fn rounded(value: vec4f) -> Rounded {
  if (BUILTIN_HALF) {
    return roundByBuiltin(value);
  }
  return roundToHalf(value);
}

fn step(row: Row, image: u32, quad: u32) {
  var x = vec4f(0.0);
  if (has(FROM_X, row.fromX) || has(STATE0, row.states.x)) {
    x = ring[row.stateAt.x + quad];
  }
  let d = rounded(insideOf(row.n, quad, predict(row, quad, x)));
  let value = blended(row, quad, combine(row, quad, x, d.value));
  let next = rounded(insideOf(row.n, quad, value));
  // Every read is done: a written place may be that of the oldest tensor.
  ring[row.denoisedAt.x + quad] = d.value;
  ring[row.nextAt + quad] = next.value;
  let at = image * ((row.n + 3u) / 4u) + quad;
  denoisedBits[at] = d.words;
  stateBits[at] = next.words;
  let input = row.inScale * next.value;
  storeInput(row.positiveRow, row.n, quad, input);
  if (row.negativeRow != NO_ROW) {
    storeInput(row.negativeRow, row.n, quad, input);
  }
}

// Zeros beyond the image's end.
fn insideOf(n: u32, quad: u32, value: vec4f) -> vec4f {
  if (4u * quad + 4u <= n) {
    return value;
  }
  return select(vec4f(0.0), value, vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(n));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
  // Read once: on adapters that compute on the CPU a row costs more than a quad.
  let row = rows[group.y];
  let first = group.x * WORKGROUP * QUADS + local.x;
  let end = min(first + WORKGROUP * QUADS, (row.n + 3u) / 4u);
  for (var quad = first; quad < end; quad += WORKGROUP) {
    step(row, group.y, quad);
  }
}
