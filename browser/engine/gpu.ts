import { AppError, reason } from "../../core/error.ts";
import { type Gpu, openDevice } from "../../core/gpu/mod.ts";

/**
 * A device of the fastest adapter that this browser has.
 * @throws AppError `host_unavailable` saying what the browser lacks.
 */
export async function openGpu(): Promise<Gpu> {
  if (!navigator.gpu) throw unavailable("it has no WebGPU");
  try {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter) return await openDevice(adapter);
  } catch (cause) {
    throw unavailable(`its WebGPU fails (${reason(cause)})`, { cause });
  }
  throw unavailable("its WebGPU finds no adapter");
}

function unavailable(what: string, options?: ErrorOptions): AppError {
  return new AppError("host_unavailable", `Cannot compute in this browser: ${what}`, options);
}
