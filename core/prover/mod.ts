/**
 * The miner's half of a check: commits to a run while it is made, signs receipts, and opens steps.
 *
 * ```ts
 * import { RunRecorder } from "./mod.ts";
 * import { decodeRequest } from "../request/mod.ts";
 * import { planFromConfig } from "../schedule/mod.ts";
 *
 * const defaults = { width: 64, height: 64, steps: 1, guidanceScale: 1, seed: 7n };
 * const request = decodeRequest({ prompt: "a red tau symbol" }, defaults);
 * const recorder = new RunRecorder(request, { keep: true });
 * const bits = new Uint16Array(4 * 8 * 8);
 * recorder.add({ kind: "x", index: 0, bits });
 * recorder.add({ kind: "d", index: 0, bits });
 * recorder.add({ kind: "x", index: 1, bits });
 *
 * // Three tensors and the image's file: four leaves under one root.
 * const plan = planFromConfig({ _class_name: "EulerDiscreteScheduler" }, 1);
 * const [{ hashes, root }] = recorder.finish([Uint8Array.of(1)], plan);
 * console.assert(hashes.length === 4 && root.length === 32);
 * ```
 */
export { modelFacts } from "./model_facts.ts";
export { type LeafSource, openStep } from "./open_step.ts";
export { makeReceipts } from "./receipts.ts";
export { RunRecorder } from "./run_recorder.ts";
export { leavesOfTranscript, maxTranscriptBytes, transcriptFile } from "./transcript_file.ts";
