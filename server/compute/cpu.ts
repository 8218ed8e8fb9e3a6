import { type Ort, ortRuntime, type Runtime } from "../../core/inference/mod.ts";
import { disableOrtTelemetry } from "./ort_telemetry.ts";

/**
 * onnxruntime-node on the CPU: ten to a hundred times faster than a software GPU. One image a
 * call, since a batch gains little here and an image is then the same alone and in a batch.
 */
export async function cpuRuntime(): Promise<Runtime> {
  const ort = await loadOnnxruntimeNode();
  return ortRuntime(ort, {
    name: `onnxruntime-node ${ort.env.versions.node ?? ""} on CPU`,
    backend: { host: "cpu", adapter: "cpu" },
    imagesPerCall: 1,
    byPath: true,
    // Graphs that are written here name their weights by whole paths.
    weightsFolder: "/",
    session: {
      executionProviders: ["cpu"],
      graphOptimizationLevel: "all",
      extra: {
        session: {
          // Waiting threads sleep: spinning takes the cores from everything else of this process.
          intra_op: { allow_spinning: "0" },
        },
      },
    },
  });
}

/**
 * Under Deno onnxruntime-node takes float16 tensors as Uint16Array only, and onnxruntime's common
 * part decides for good, at its first tensor, whether the engine has a Float16Array: so the engine
 * has none at that moment.
 */
async function loadOnnxruntimeNode(): Promise<Ort> {
  disableOrtTelemetry();
  const float16 = Object.getOwnPropertyDescriptor(globalThis, "Float16Array");
  Reflect.deleteProperty(globalThis, "Float16Array");
  try {
    const ort = await import("onnxruntime-node");
    new ort.Tensor("float32", new Float32Array(1), [1]);
    return ort as Ort;
  } finally {
    if (float16) Object.defineProperty(globalThis, "Float16Array", float16);
  }
}
