// The network's tensors as f16[rows, n], n a multiple of four, read and written as bits: needs no
// `shader-f16`, and rounds alike everywhere.
@group(0) @binding(1) var<storage, read> networkOutput: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> networkInput: array<vec2u>;

fn loadOutput(row: u32, n: u32, quad: u32) -> vec4f {
  return halfValue(unpackHalf(networkOutput[row * (n / 4u) + quad]));
}

fn storeInput(row: u32, n: u32, quad: u32, value: vec4f) {
  networkInput[row * (n / 4u) + quad] = packHalf(halfBits(value));
}
