/**
 * What a check compares a run with besides its steps: what it was made from. It is loaded with the first
 * receipt that names any, since most of what decodes and fits images is what generates.
 */
export { edgesOfFile, picturesOf } from "./input_pictures.ts";
export { parentEvidence } from "./parent_evidence.ts";
export { inputsOfReceipt } from "./receipt_inputs.ts";
