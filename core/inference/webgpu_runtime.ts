import type { Gpu } from "../gpu/mod.ts";
import { type Ort, ortRuntime, WEB_FILE_BYTES } from "./ort_runtime.ts";
import type { Runtime } from "./runtime.ts";

/** A batch larger than this gains little on a GPU, and its activations take memory. */
const IMAGES_PER_CALL = 8;

/** onnxruntime-web on WebGPU, on the device that our kernels use. @param ort its `webgpu` build. */
export function webgpuRuntime(ort: Ort, gpu: Gpu): Runtime {
  return ortRuntime(ort, {
    name: `onnxruntime-web ${ort.env.versions.web ?? ""} on ${gpu.name} (WebGPU)`,
    imagesPerCall: IMAGES_PER_CALL,
    byPath: false,
    maxFileBytes: WEB_FILE_BYTES,
    gpu,
    session: {
      executionProviders: [{ name: "webgpu", device: gpu.device }],
      logSeverityLevel: 3,
    },
  });
}
