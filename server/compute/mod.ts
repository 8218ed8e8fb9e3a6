export { type ChromeOptions } from "./chrome_host.ts";
export { findChrome, locateChrome } from "./chrome_path.ts";
export { ChromeProcess } from "./chrome_process.ts";
export { ChromeServer } from "./chrome_server.ts";
export { cpuRuntime } from "./cpu.ts";
export type { ComputeHost } from "./host.ts";
export { nativeHost, nativeRuntime } from "./native.ts";
export { npmChromium } from "./npm_chromium.ts";
export { COMPUTE_KINDS, openCompute, parseComputeKind } from "./select.ts";
