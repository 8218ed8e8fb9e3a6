export { wasmRuntime } from "./cpu.ts";
export { openGpu } from "./gpu.ts";
export { HttpFiles } from "./http_files.ts";
export { browserRuntime } from "./runtime.ts";
