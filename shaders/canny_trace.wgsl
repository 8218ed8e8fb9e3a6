// Hysteresis: weak marks that touch a strong one, also diagonally, become strong. A thread follows
// one chain to its end; branches are left to the next dispatch, so a few reach the fixed point,
// where a dispatch adds nothing to `changed`. CPU reference: cannyReference.
// marks: u32[height, width], 0 none, 1 weak, 2 strong.  changed: u32, marks promoted since it was 0.
override WORKGROUP: u32 = 256;

struct Parameters {
  width: u32,
  height: u32,
}

@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read_write> marks: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> changed: atomic<u32>;

const NOWHERE = 0xffffffffu;

// Promotes one weak neighbour. Exactly one thread gets each, so all chains together are bounded.
fn promoteNeighbour(at: u32) -> u32 {
  let x = i32(at % parameters.width);
  let y = i32(at / parameters.width);
  for (var dy = max(y - 1, 0); dy <= min(y + 1, i32(parameters.height) - 1); dy++) {
    for (var dx = max(x - 1, 0); dx <= min(x + 1, i32(parameters.width) - 1); dx++) {
      let next = u32(dy) * parameters.width + u32(dx);
      if (atomicLoad(&marks[next]) == 1u && atomicMax(&marks[next], 2u) == 1u) {
        return next;
      }
    }
  }
  return NOWHERE;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= parameters.width * parameters.height || atomicLoad(&marks[id.x]) != 2u) {
    return;
  }
  var found = 0u;
  for (var at = promoteNeighbour(id.x); at != NOWHERE; at = promoteNeighbour(at)) {
    found++;
  }
  if (found > 0u) {
    atomicAdd(&changed, found);
  }
}
