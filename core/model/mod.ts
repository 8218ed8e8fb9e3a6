/**
 * What a model is made of: the catalogue of known ones, the layout of a diffusers folder, its files,
 * and downloads that are resumed and verified.
 *
 * ```ts
 * import { parseModelSource } from "./mod.ts";
 *
 * const source = parseModelSource("hf:owner/name@v1");
 * console.assert(source.kind === "hub" && source.revision === "v1");
 * console.assert(parseModelSource("./my-sdxl-onnx").kind === "folder");
 * ```
 */
export {
  type Catalogue,
  type CatalogueEntry,
  decodeCatalogue,
  type ExpectedFile,
} from "./catalogue.ts";
export {
  checkControls,
  controlFiles,
  controlledUnetFiles,
  controlNames,
  mountControl,
  OWN_CONTROL,
  ownControlPaths,
  type PartFiles,
} from "./control_files.ts";
export {
  type DownloadedFile,
  downloadFiles,
  type Hasher,
  type ModelStore,
  type PartialFile,
} from "./download.ts";
export { viewOf } from "./files_view.ts";
export { hashFiles } from "./hash_files.ts";
export { graphWeights } from "./external_data.ts";
export { type KnownModel, knownModel, type ModelFacts } from "./known_model.ts";
export { type DenoiserConfig, isGuided, readLatentChannels, readsMask } from "./denoiser_config.ts";
export { type ModelConfig, readModelConfig, readOwnScheduler } from "./model_config.ts";
export type { LatentPreview } from "./part_config.ts";
export { ListedFiles } from "./listed_files.ts";
export {
  type ByteRange,
  missingFile,
  type ModelFiles,
  type MountedAdapter,
  type MountedControl,
  readJson,
} from "./model_files.ts";
export {
  decodeModelIndex,
  isPipelineBuilt,
  MODEL_INDEX,
  type ModelIndex,
  readModelIndex,
  requirePipeline,
  type TransformerFamily,
} from "./model_index.ts";
export {
  type FileSelection,
  type GraphFiles,
  layoutWithEncoder,
  type ModelLayout,
  type NetworkFiles,
  readLayout,
  type WeightFiles,
} from "./model_layout.ts";
export { checkModelPath, isModelPath } from "./model_path.ts";
export { parseModelJson } from "./model_json.ts";
export type { ModelProgress } from "./model_progress.ts";
export {
  catalogueEntryOf,
  describeSource,
  type ModelSource,
  parseModelSource,
  unknownModel,
} from "./model_source.ts";
export {
  indexOfParts,
  type Looking,
  lookUp,
  lookUpFile,
  lookUpModel,
  lookUpParts,
  namedShards,
} from "./look_up.ts";
export { fetchRange, RemoteFiles } from "./remote_files.ts";
export {
  type HubAccess,
  openHub,
  openUrl,
  openUrlFile,
  type RemoteFile,
  type RemoteFolder,
} from "./remote_folder.ts";
export { decodeTolerances, type Tolerance, toleranceSchema } from "./tolerance.ts";
export { type Transport, Watchdog } from "./transport.ts";
export { networkPrecision } from "./weight_precision.ts";
