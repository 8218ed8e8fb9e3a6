// How one image takes a step.
struct Row {
  // Weights of x_i, x_{i-1}, x_{i-2}, x_{i-3}.
  states: vec4f,
  // Of D_i, D_{i-1}, D_{i-2}, D_{i-3}.
  denoised: vec4f,
  fromX: f32,
  fromPositive: f32,
  fromNegative: f32,
  noise: f32,
  // Of x_i, x_{i-1}, ... in the ring.
  stateAt: vec4u,
  // Of D_i (written), D_{i-1}, ... in the ring.
  denoisedAt: vec4u,
  // Of x_{i+1} (written).
  nextAt: u32,
  n: u32,
  // The image's rows of the network's tensors; the negative one may be NO_ROW.
  positiveRow: u32,
  negativeRow: u32,
  inScale: f32,
  draw: u32,
  seedLow: u32,
  seedHigh: u32,
  // Of the source and of the first noise, where a mask keeps the source.
  blendSource: f32,
  blendNoise: f32,
}
