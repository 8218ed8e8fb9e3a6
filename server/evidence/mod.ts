export { type ModelFacts, modelFacts } from "./model_facts.ts";
export { readTranscript, transcriptFile } from "./transcript_file.ts";
