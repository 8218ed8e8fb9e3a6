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
