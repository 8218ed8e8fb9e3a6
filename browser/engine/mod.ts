/**
 * Runtimes of a browser: WebGPU, or wasm where there is none, and model files over HTTP.
 */
export { wasmRuntime } from "./cpu.ts";
export { openGpu } from "./gpu.ts";
export { HttpFiles } from "./http_files.ts";
export { browserRuntime } from "./runtime.ts";
