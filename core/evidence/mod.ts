export { type Hotkey, openHotkey } from "./hotkey.ts";
export { makeReceipts } from "./receipts.ts";
export { RunRecorder } from "./run_recorder.ts";
