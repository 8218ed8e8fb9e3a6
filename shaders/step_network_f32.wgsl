// The network's tensors as f32[rows, n], n a multiple of four.
@group(0) @binding(1) var<storage, read> networkOutput: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> networkInput: array<vec4f>;

fn loadOutput(row: u32, n: u32, quad: u32) -> vec4f {
  return networkOutput[row * (n / 4u) + quad];
}

fn storeInput(row: u32, n: u32, quad: u32, value: vec4f) {
  networkInput[row * (n / 4u) + quad] = value;
}
