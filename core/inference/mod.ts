/**
 * What runs a model: sessions of onnxruntime behind one `Runtime`, tensors in memory or on a
 * device, and the parts (text encoders, UNet, VAE) that know their inputs by name.
 *
 * ```ts
 * import { joinRows, splitRows, tensorBytes } from "./mod.ts";
 *
 * // Images of a batch are rows of one tensor.
 * const batch = joinRows([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
 * console.assert(splitRows(batch, 2)[1].join() === "3,4");
 * console.assert(tensorBytes({ type: "float16", dims: [2, 4, 64, 64] }) === 65_536);
 * ```
 */
export { ControlNet } from "./control_net.ts";
export type { ControlledUnet } from "./controlled_unet.ts";
export { loadModel, type LoadOptions, type Model } from "./model.ts";
export { observeRuntime } from "./observed_runtime.ts";
export { openableGraph } from "./openable_graph.ts";
export { type Ort, ortRuntime, WEB_FILE_BYTES } from "./ort_runtime.ts";
export type { Place, Residuals } from "./residuals.ts";
export type { Backend, Runtime, Session } from "./runtime.ts";
export { receiveTensor, sendTensor, type SentTensor } from "./sent_tensor.ts";
export {
  floats,
  type GpuTensor,
  joinRows,
  splitRows,
  type Tensor,
  tensorBytes,
  tensorFor,
} from "./tensor.ts";
export { CLIP_TOKENS, type EncodeOptions, type TextEmbedding } from "./text_encoder.ts";
export { Unet } from "./unet.ts";
export { VaeDecoder } from "./vae_decoder.ts";
export { vaeTiling } from "./vae_tiles.ts";
export { webgpuRuntime } from "./webgpu_runtime.ts";
export { weightMemory } from "./weight_memory.ts";
export { writtenGraph } from "./written_graph.ts";
