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
export { type LatentPreview, type ModelConfig, readModelConfig } from "./model_config.ts";
export { type ByteRange, missingFile, type ModelFiles, readJson } from "./model_files.ts";
export {
  candidateFiles,
  chooseFiles,
  decodeModelIndex,
  type FileSelection,
  type GraphFiles,
  MODEL_INDEX,
  type ModelLayout,
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
export {
  type HubAccess,
  openHub,
  openUrl,
  type RemoteFile,
  type RemoteFolder,
} from "./remote_folder.ts";
export { type Transport, Watchdog } from "./transport.ts";
export { weightPrecision } from "./weight_precision.ts";
