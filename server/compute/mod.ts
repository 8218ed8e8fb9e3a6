export { findChrome } from "./chrome_path.ts";
export { cpuRuntime } from "./cpu.ts";
export { nativeRuntime } from "./native.ts";
export { COMPUTE_KINDS, type ComputeChoice, openCompute, parseComputeKind } from "./select.ts";
