import { type Ort, ortRuntime, type Runtime, WEB_FILE_BYTES } from "../../core/inference/mod.ts";

/** onnxruntime's wasm build: what computes where there is no GPU. */
export async function wasmRuntime(): Promise<Runtime> {
  const ort = await import("onnxruntime-web/wasm") as unknown as Ort;
  return ortRuntime(ort, {
    name: `onnxruntime-web ${ort.env.versions.web ?? ""} on CPU (wasm)`,
    backend: { host: "wasm", adapter: "cpu" },
    imagesPerCall: 1,
    byPath: false,
    maxFileBytes: WEB_FILE_BYTES,
    // Addresses of wasm have 32 bits, and all networks are in one memory.
    maxWeightBytes: 2 ** 32,
    session: { executionProviders: ["wasm"], graphOptimizationLevel: "all", logSeverityLevel: 3 },
  });
}
