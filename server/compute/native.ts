import { tmpdir } from "node:os";
import process from "node:process";
import { AppError } from "../../core/error.ts";
import { Pipeline, RecoveringEngine } from "../../core/generation/mod.ts";
import { openDevice } from "../../core/gpu/mod.ts";
import { type Ort, type Runtime, webgpuRuntime } from "../../core/inference/mod.ts";
import { chosenAdapter } from "./gpu_choice.ts";
import type { ComputeHost } from "./host.ts";

/**
 * Deno's adapter, or undefined when there is no driver.
 * @param choice of `--gpu`.
 * @throws AppError `host_unavailable` for a choice that is not there.
 */
export async function nativeAdapter(choice?: string): Promise<GPUAdapter | undefined> {
  // Mesa complains on stderr when this is not set, though nothing that computes uses it.
  if (process.platform === "linux" && !process.env.XDG_RUNTIME_DIR) {
    process.env.XDG_RUNTIME_DIR = tmpdir();
  }
  if (choice !== undefined) return await chosenAdapter(choice, navigator.gpu);
  return await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? undefined;
}

/**
 * onnxruntime-web on Deno's own WebGPU, on a device of ours.
 * @throws AppError `host_unavailable` when there is no adapter.
 */
export async function nativeRuntime(choice?: string): Promise<Runtime> {
  const adapter = await nativeAdapter(choice);
  if (!adapter) {
    throw new AppError(
      "host_unavailable",
      "Cannot compute natively: Deno finds no WebGPU adapter here. Install a Vulkan driver " +
        "(for a CPU-only machine: mesa-vulkan-drivers), or use --compute cpu",
    );
  }
  const gpu = await openDevice(adapter);
  return webgpuRuntime(await loadOnnxruntimeWeb(), gpu, "native");
}

/**
 * onnxruntime-web resolves its wasm against the page's origin where there is a `location`. A thread of
 * Deno has one, of a file, whose origin is "null"; without it the wasm is found next to the script.
 */
async function loadOnnxruntimeWeb(): Promise<Ort> {
  if (globalThis.location?.origin === "null") {
    Object.defineProperty(globalThis, "location", { value: undefined, configurable: true });
  }
  return await import("onnxruntime-web/webgpu") as Ort;
}

/**
 * Deno's WebGPU. A lost device, or one that ran out of memory, is replaced, and the job that it
 * failed is run once more.
 * @throws AppError `host_unavailable` when there is no adapter.
 */
export async function nativeHost(
  reason: string,
  openRuntime: () => Promise<Runtime> = nativeRuntime,
): Promise<ComputeHost> {
  let current = openRuntime();
  const { name } = await current;
  /** The runtime in use; another where it is the broken one, or where its device did not open. */
  const usable = async (previous: Promise<Runtime>, broken?: Runtime): Promise<Runtime> => {
    const runtime = await previous.catch(() => undefined);
    if (runtime && runtime !== broken) return runtime;
    runtime?.gpu?.[Symbol.dispose]();
    return await openRuntime();
  };
  return {
    name,
    reason,
    open: (files, options) => {
      let mine: Runtime | undefined;
      // Called again after a failure of this engine.
      return RecoveringEngine.start(async () => {
        mine = await (current = usable(current, mine));
        return await Pipeline.open(files, mine, options);
      });
    },
    [Symbol.asyncDispose]: async () => {
      const runtime = await current.catch(() => undefined);
      runtime?.gpu?.[Symbol.dispose]();
    },
  };
}
