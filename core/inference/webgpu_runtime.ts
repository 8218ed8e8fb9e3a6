import type { Gpu } from "../gpu/mod.ts";
import { type Ort, ortRuntime, WEB_FILE_BYTES } from "./ort_runtime.ts";
import type { Runtime } from "./runtime.ts";

/** A batch larger than this gains little on a GPU, and its activations take memory. */
const IMAGES_PER_CALL = 8;

/**
 * onnxruntime-web on WebGPU, on the device that our kernels use.
 * @param ort its `webgpu` build.
 * @param host whose WebGPU it is, as {@link Runtime.backend} names it.
 */
export function webgpuRuntime(ort: Ort, gpu: Gpu, host: string): Runtime {
  return ortRuntime(ort, {
    name: `onnxruntime-web ${ort.env.versions.web ?? ""} on ${gpu.name} (WebGPU)`,
    backend: { host, adapter: gpu.name },
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
