export { type Hotkey, openHotkey } from "./hotkey.ts";
export { channelsOf, type ModelFacts, modelFacts } from "./model_facts.ts";
export { makeReceipts } from "./receipts.ts";
export { RunRecorder } from "./run_recorder.ts";
export { readTranscript, transcriptFile } from "./transcript_file.ts";
