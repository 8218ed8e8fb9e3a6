export { type LeafSource, openStep } from "./open_step.ts";
export { makeReceipts } from "./receipts.ts";
export { RunRecorder } from "./run_recorder.ts";
