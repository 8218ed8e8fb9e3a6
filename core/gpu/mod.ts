/**
 * WebGPU as the kernels need it: adapter and device, compiled kernels, pooled buffers, and the loss
 * of a device as an error that callers can act on.
 *
 * ```ts
 * import { packStructs } from "./mod.ts";
 * import { philoxNormal } from "../../shaders/mod.ts";
 *
 * // A kernel's parameters as bytes, at the offsets that WGSL gives its struct.
 * const bytes = packStructs(philoxNormal.parameters, [{ n: 4096, draw: 0, scale: 1 }]);
 * console.assert(bytes.length === philoxNormal.parameters.bytes);
 * ```
 */
export { adapterClass, adapterName } from "./adapter.ts";
export { BufferPool, type PooledBuffer, STORAGE_USAGE } from "./buffer_pool.ts";
export { Gpu, type GpuNeeds, openDevice } from "./device.ts";
export type { DeviceMemory } from "./device_memory.ts";
export {
  bindKernel,
  type CompiledKernel,
  compileKernel,
  type Dispatch,
  encodeDispatches,
  type Resource,
} from "./kernel.ts";
export { packStructs, type StructValues } from "./parameters.ts";
export type { Readback } from "./staging_pool.ts";
