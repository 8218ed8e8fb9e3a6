export { knownModels, openModel, type OpenModelOptions } from "./open_model.ts";
export { checkWritable, writeAtomically, writeTogether } from "./output_file.ts";
export { sha256OfFiles } from "./sha256.ts";
export {
  type Eviction,
  type StoredTranscript,
  type StoreUsage,
  type TranscriptStore,
  type TranscriptWriter,
} from "./transcript_store.ts";
export { type DiskTranscriptOptions, DiskTranscriptStore } from "./transcript_store_disk.ts";
