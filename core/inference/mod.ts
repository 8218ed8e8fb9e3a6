export {
  type Catalogue,
  type CatalogueEntry,
  decodeCatalogue,
  type ExpectedFile,
} from "./catalogue.ts";
export {
  type DownloadedFile,
  downloadFiles,
  type Hasher,
  type ModelStore,
  type PartialFile,
} from "./download.ts";
export { graphWeights } from "./external_data.ts";
export { loadModel, type LoadOptions, type Model, type ModelFamily } from "./model.ts";
export { type LatentPreview, type ModelConfig, readModelConfig } from "./model_config.ts";
export { type ByteRange, missingFile, type ModelFiles, readJson } from "./model_files.ts";
export {
  candidateFiles,
  chooseFiles,
  decodeModelIndex,
  type FileSelection,
  MODEL_INDEX,
  readLayout,
  selectedParts,
} from "./model_layout.ts";
export { checkModelPath } from "./model_path.ts";
export type { ModelProgress } from "./model_progress.ts";
export {
  catalogueEntryOf,
  describeSource,
  type ModelSource,
  parseModelSource,
  unknownModel,
} from "./model_source.ts";
export { Mutex } from "./mutex.ts";
export { observeRuntime } from "./observed_runtime.ts";
export { onnxWeights } from "./onnx_weights.ts";
export { type Ort, ortRuntime } from "./ort_runtime.ts";
export { ProtobufReader } from "./protobuf.ts";
export {
  type HubAccess,
  openHub,
  openUrl,
  type RemoteFile,
  type RemoteFolder,
} from "./remote_folder.ts";
export type { Runtime } from "./runtime.ts";
export { type GpuTensor, joinRows, splitRows, type Tensor, tensorBytes } from "./tensor.ts";
export type { VaeDecoder } from "./vae_decoder.ts";
export { CLIP_TOKENS, type TextEmbedding } from "./text_encoder.ts";
export { type Transport, Watchdog } from "./transport.ts";
export { weightPrecision } from "./weight_precision.ts";
export { webgpuRuntime } from "./webgpu_runtime.ts";
