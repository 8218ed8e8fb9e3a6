import { tmpdir } from "node:os";
import { AppError } from "../../core/error.ts";
import { type Ort, ortRuntime, type Runtime } from "../../core/inference/mod.ts";

/** What WebGPU says of an adapter, for people. */
export function describeAdapter({ info }: GPUAdapter): string {
  // Deno gives numbers for vendor and device where it has a description.
  return info.description || [info.vendor, info.architecture, info.device].join(" ").trim() ||
    "unnamed adapter";
}

/** True for an adapter that computes on the CPU: for tests, slower than the CPU host. */
export function isSoftwareAdapter(adapter: GPUAdapter): boolean {
  return adapter.info.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader|software|cpu/i.test(describeAdapter(adapter));
}

/** Deno's adapter, or undefined when there is no driver. */
export async function nativeAdapter(): Promise<GPUAdapter | undefined> {
  // Mesa complains on stderr when this is not set, though nothing that computes looks there.
  if (Deno.build.os === "linux" && !Deno.env.has("XDG_RUNTIME_DIR")) {
    Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  }
  return await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? undefined;
}

/**
 * onnxruntime-web on Deno's own WebGPU, on a device of ours.
 * @throws AppError `host_unavailable` when there is no adapter.
 */
export async function nativeRuntime(): Promise<Runtime> {
  const adapter = await nativeAdapter();
  if (!adapter) {
    throw new AppError(
      "host_unavailable",
      "Cannot compute natively: Deno finds no WebGPU adapter here. Install a Vulkan driver " +
        "(for a CPU-only machine: mesa-vulkan-drivers), or use --compute cpu",
    );
  }
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has("shader-f16") ? ["shader-f16"] : [],
    requiredLimits: largeLimits(adapter.limits),
  });
  const ort = await import("onnxruntime-web/webgpu") as Ort;
  return ortRuntime(ort, {
    name: `onnxruntime-web ${ort.env.versions.web ?? ""} on ${describeAdapter(adapter)} (WebGPU)`,
    imagesPerCall: 8,
    byPath: false,
    session: {
      executionProviders: [{ name: "webgpu", device }],
      logSeverityLevel: 3,
    },
  });
}

/** The limits that large models reach for, as high as the adapter has them. */
function largeLimits(limits: GPUSupportedLimits): Record<string, number> {
  const names = [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY",
    "maxComputeWorkgroupSizeZ",
    "maxComputeWorkgroupsPerDimension",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, limits[name]]));
}
