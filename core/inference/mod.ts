export { loadModel, type LoadOptions, type Model } from "./model.ts";
export { observeRuntime } from "./observed_runtime.ts";
export { type Ort, ortRuntime } from "./ort_runtime.ts";
export type { Runtime } from "./runtime.ts";
export { type GpuTensor, joinRows, splitRows, type Tensor, tensorBytes } from "./tensor.ts";
export { CLIP_TOKENS, type TextEmbedding } from "./text_encoder.ts";
export { VaeDecoder } from "./vae_decoder.ts";
export { webgpuRuntime } from "./webgpu_runtime.ts";
