export { readTranscript, transcriptFile } from "./transcript_file.ts";
export type { Eviction, TranscriptStore } from "./transcript_store.ts";
export { type DiskTranscriptOptions, DiskTranscriptStore } from "./transcript_store_disk.ts";
