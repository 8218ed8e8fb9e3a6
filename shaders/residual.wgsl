// Partial sums by which a claimed step is compared with its recomputation, for many pairs at once.
// With w = alpha * x - D (the velocity times sigma, which cancels in every ratio):
//   sums[0..2] = D.D', D.D, D'.D'   [3..6] = w.w', w.w, w'.w', |w - w'|^2
//   [7..9] = y.y', y.y, y'.y' with y = x_{i+1}   [10] = elements that are NaN or infinite
// claimed: float16 bits.  recomputed: f32.  partials: f32[pairs, threads, 12].
// No barrier: one partial a thread, finished in f64. CPU reference: residualSums (core/verifier).
override WORKGROUP: u32 = 64;

struct Pair {
  alpha: f32,
  n: u32,
  // Places in fours of elements. x, D, x_{i+1} as claimed; D', x'_{i+1} as recomputed.
  stateAt: u32,
  denoisedAt: u32,
  nextAt: u32,
  denoisedAgainAt: u32,
  nextAgainAt: u32,
}

@group(0) @binding(0) var<storage, read> pairs: array<Pair>;
@group(0) @binding(1) var<storage, read> claimed: array<vec2u>;
@group(0) @binding(2) var<storage, read> recomputed: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

struct Sums {
  denoised: vec3f,
  velocity: vec4f,
  next: vec3f,
  strange: vec4u,
}

// By its bits: a compiler may assume that floats are never NaN.
fn strange(value: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(value) & vec4u(0x7f800000u)) == vec4u(0x7f800000u);
}

fn add(sums: ptr<function, Sums>, image: u32, quad: u32) {
  let n = pairs[image].n;
  let inside = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(n);
  let zero = vec4f(0.0);
  let x = select(zero, halfValue(unpackHalf(claimed[pairs[image].stateAt + quad])), inside);
  let d = select(zero, halfValue(unpackHalf(claimed[pairs[image].denoisedAt + quad])), inside);
  let y = select(zero, halfValue(unpackHalf(claimed[pairs[image].nextAt + quad])), inside);
  let e = select(zero, recomputed[pairs[image].denoisedAgainAt + quad], inside);
  let z = select(zero, recomputed[pairs[image].nextAgainAt + quad], inside);
  let w = pairs[image].alpha * x - d;
  let u = pairs[image].alpha * x - e;
  let difference = e - d;
  (*sums).denoised += vec3f(dot(d, e), dot(d, d), dot(e, e));
  (*sums).velocity += vec4f(dot(w, u), dot(w, w), dot(u, u), dot(difference, difference));
  (*sums).next += vec3f(dot(y, z), dot(y, y), dot(z, z));
  let odd = strange(x) | strange(d) | strange(y) | strange(e) | strange(z);
  (*sums).strange += select(vec4u(0u), vec4u(1u), odd);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let threads = groups.x * WORKGROUP;
  var sums = Sums(vec3f(0.0), vec4f(0.0), vec3f(0.0), vec4u(0u));
  for (var quad = id.x; quad < (pairs[id.y].n + 3u) / 4u; quad += threads) {
    add(&sums, id.y, quad);
  }
  let at = 3u * (id.y * threads + id.x);
  let count = f32(dot(sums.strange, vec4u(1u)));
  partials[at] = vec4f(sums.denoised, sums.velocity.x);
  partials[at + 1u] = vec4f(sums.velocity.yzw, sums.next.x);
  partials[at + 2u] = vec4f(sums.next.yz, count, 0.0);
}
