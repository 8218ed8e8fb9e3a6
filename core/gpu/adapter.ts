import type { AdapterClass } from "../../shaders/mod.ts";

/** What WebGPU says of an adapter, for people. */
export function adapterName({ info }: GPUAdapter): string {
  const parts = [info.description, info.vendor, info.architecture, info.device];
  // Deno gives numbers for vendor and device, and a description that says it all.
  return info.description || parts.filter(Boolean).join(" ").trim() || "an unnamed adapter";
}

/** Which kind of adapter this is: kernels take their workgroup sizes from it. */
export function adapterClass(adapter: GPUAdapter): AdapterClass {
  const name = `${adapterName(adapter)} ${adapter.info.architecture}`;
  if (/swiftshader/i.test(name)) return "swiftshader";
  if (/llvmpipe|lavapipe/i.test(name) || adapter.info.isFallbackAdapter) return "lavapipe";
  return "hardware";
}
