/**
 * Where networks run: Deno's WebGPU (`native`), a headless Chrome that is driven (`chrome`), or
 * onnxruntime on the CPU (`cpu`), behind one `ComputeHost`.
 *
 * ```ts
 * import { openCompute } from "./mod.ts";
 * import { openModel } from "../models/mod.ts";
 *
 * await using host = await openCompute("cpu");
 * await using engine = await host.open(await openModel("embedded"));
 * console.assert(engine.model === "tau-tiny");
 * console.assert(engine.defaults.width === 256);
 * ```
 */
export { AskedThread } from "./asked_thread.ts";
export { type ChromeOptions } from "./chrome_host.ts";
export { findChrome, locateChrome } from "./chrome_path.ts";
export { ChromeProcess } from "./chrome_process.ts";
export { ChromeServer } from "./chrome_server.ts";
export { cpuRuntime } from "./cpu.ts";
export {
  addEngineOptions,
  computeOption,
  controlnetOption,
  type EngineFlags,
  type GivenLora,
  gpuOption,
  loraOption,
  parseLora,
} from "./flags.ts";
export type { ComputeHost } from "./host.ts";
export { nativeHost, nativeRuntime } from "./native.ts";
export { npmChromium } from "./npm_chromium.ts";
export { ThreadCodec } from "./thread_codec.ts";
export { openUpscaler } from "./upscaler.ts";
export { COMPUTE_KINDS, openCompute, parseComputeKind } from "./select.ts";
