// The network's tensors as f32[rows, n] of any n: element by element.
@group(0) @binding(1) var<storage, read> networkOutput: array<f32>;
@group(0) @binding(2) var<storage, read_write> networkInput: array<f32>;

fn loadOutput(row: u32, n: u32, quad: u32) -> vec4f {
  var value = vec4f(0.0);
  for (var lane = 0u; lane < min(4u, n - 4u * quad); lane++) {
    value[lane] = networkOutput[row * n + 4u * quad + lane];
  }
  return value;
}

fn storeInput(row: u32, n: u32, quad: u32, value: vec4f) {
  for (var lane = 0u; lane < min(4u, n - 4u * quad); lane++) {
    networkInput[row * n + 4u * quad + lane] = value[lane];
  }
}
