import { AppError, reason } from "../../core/error.ts";
import type { Gpu } from "../../core/gpu/mod.ts";
import { type Ort, type Runtime, webgpuRuntime } from "../../core/inference/mod.ts";

/** onnxruntime-web on this browser's device. */
export async function browserRuntime(gpu: Gpu): Promise<Runtime> {
  const host = /\bChrom(e|ium)\//.test(navigator.userAgent) ? "chrome" : "browser";
  const runtime = webgpuRuntime(await import("onnxruntime-web/webgpu") as Ort, gpu, host);
  if (gpu.device.features.has("shader-f16")) return runtime;
  return {
    ...runtime,
    open: (files, graph) =>
      runtime.open(files, graph).catch((cause) => {
        const half = /float16|f16/i.test(reason(cause));
        throw half ? halfUnsupported(graph.graph, gpu.name, cause) : cause;
      }),
  };
}

function halfUnsupported(graph: string, adapter: string, cause: unknown): AppError {
  return new AppError(
    "host_unavailable",
    `Cannot load ${graph}: it computes in float16, and ${adapter} has no shader-f16. ` +
      "Use a float32 model, or --compute cpu",
    { cause },
  );
}
