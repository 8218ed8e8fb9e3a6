// What the bench compares kernels with: moves bytes and computes nothing, a vec4 a thread.
// source, copied: u32[4 * quads].
override WORKGROUP: u32 = 256;

struct Parameters {
  quads: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read> source: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> copied: array<vec4u>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quad = id.y * groups.x * WORKGROUP + id.x;
  if (quad < parameters.quads) {
    copied[quad] = source[quad];
  }
}
