export { adapterClass, adapterName } from "./adapter.ts";
export { BufferPool, type MemoryUse, type PooledBuffer, STORAGE_USAGE } from "./buffer_pool.ts";
export { cannyEdges } from "./canny.ts";
export { type CannyOptions, cannyReference, gaussianBlurReference } from "./canny_reference.ts";
export type { DeviceMemory } from "./device_memory.ts";
export { Gpu, type GpuNeeds, type LimitName, openDevice } from "./device.ts";
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
export { type RowSet, type StepBatch, type StepPlace, type StepRow, stepRow } from "./step_rows.ts";
export { type NetworkType, prepareSteps, stepKernel, type StepRun } from "./step_run.ts";
