import type { Binding, Constants, Extent, Kernel } from "../../shaders/mod.ts";
import { AppError } from "../error.ts";
import type { Gpu } from "./device.ts";
import { guarded } from "./guarded.ts";

/** A kernel on a device, with its constants fixed. */
export interface CompiledKernel {
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly pipeline: GPUComputePipeline;
}

/** One dispatch with all that it reads and writes, ready to encode any number of times. */
export interface Dispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [x: number, y: number];
}

/** A buffer, or a part of one. */
export type Resource = GPUBuffer | GPUBufferBinding;

const compiled = new WeakMap<GPUDevice, Map<string, Promise<CompiledKernel>>>();

/**
 * Compiles a kernel for a device, once for the same kernel and constants.
 * @param constants over those that the kernel has for this class of adapter.
 * @throws AppError `gpu_failed` with the compiler's words.
 */
export function compileKernel(
  gpu: Gpu,
  kernel: Kernel,
  constants: Constants = {},
): Promise<CompiledKernel> {
  const all = { ...kernel.constants[gpu.adapterClass], ...constants };
  const cache = compiled.get(gpu.device) ?? new Map<string, Promise<CompiledKernel>>();
  compiled.set(gpu.device, cache);
  const key = JSON.stringify([kernel.name, all, kernel.code]);
  const found = cache.get(key) ?? compile(gpu, kernel, all);
  cache.set(key, found);
  // A failure is not kept: the device may have been out of memory.
  found.catch(() => cache.delete(key));
  return found;
}

async function compile(gpu: Gpu, kernel: Kernel, constants: Constants): Promise<CompiledKernel> {
  gpu.throwIfLost();
  const { device } = gpu;
  const pipeline = await guarded(device, `compile ${kernel.name} on ${gpu.name}`, () => {
    const group = device.createBindGroupLayout({
      label: kernel.name,
      entries: kernel.bindings.map(layoutEntry),
    });
    const module = device.createShaderModule({ label: kernel.name, code: kernel.code });
    return device.createComputePipeline({
      label: kernel.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [group] }),
      compute: { module, entryPoint: "main", constants: { ...constants } },
    });
  });
  return { kernel, constants, pipeline };
}

function layoutEntry({ access }: Binding, binding: number): GPUBindGroupLayoutEntry {
  const types = { uniform: "uniform", read: "read-only-storage", read_write: "storage" } as const;
  return { binding, visibility: 0x4, buffer: { type: types[access] } }; // 0x4: COMPUTE
}

/**
 * Binds a kernel to its buffers, in the order of its bindings.
 * @throws AppError `shape_mismatch` when their number or the dispatch's size is out of range.
 */
export function bindKernel(
  gpu: Gpu,
  { kernel, constants, pipeline }: CompiledKernel,
  resources: readonly Resource[],
  extent: Extent,
): Dispatch {
  const { name, bindings } = kernel;
  if (resources.length !== bindings.length) {
    refuse(`Cannot bind ${name}: ${resources.length} buffers are given, not ${bindings.length}`);
  }
  const workgroups = kernel.workgroups(extent, constants);
  const max = gpu.device.limits.maxComputeWorkgroupsPerDimension;
  if (Math.max(...workgroups) > max) {
    refuse(`Cannot dispatch ${name}: ${workgroups.join(" x ")} workgroups are more than ${max}`);
  }
  const group = gpu.device.createBindGroup({
    label: name,
    layout: pipeline.getBindGroupLayout(0),
    entries: resources.map((resource, binding) => ({
      binding,
      resource: "buffer" in resource ? resource : { buffer: resource },
    })),
  });
  return { label: name, pipeline, group, workgroups };
}

/** Encodes dispatches into one pass of the caller's; each sees what the ones before it wrote. */
export function encodeDispatches(
  encoder: GPUCommandEncoder,
  dispatches: readonly Dispatch[],
): void {
  const pass = encoder.beginComputePass({ label: dispatches[0]?.label });
  for (const { pipeline, group, workgroups } of dispatches) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
}

function refuse(sentence: string): never {
  throw new AppError("shape_mismatch", sentence);
}
