import { AppError } from "../../error.ts";
import type { Runtime } from "../../inference/mod.ts";
import type { Gpu, PooledBuffer } from "../../gpu/mod.ts";

import { GpuTimer } from "./gpu_timer.ts";

const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST

/** A device that our kernels and onnxruntime share, with a clock. */
export interface Workbench extends Disposable {
  readonly gpu: Gpu;
  readonly runtime: Runtime;
  readonly timer: GpuTimer;
}

/**
 * @returns what owns its clock; the device stays the runtime's.
 * @throws AppError `host_unavailable` for a runtime on the CPU.
 */
export function openWorkbench(runtime: Runtime): Workbench {
  const { gpu } = runtime;
  if (!gpu) {
    throw new AppError("host_unavailable", `Cannot bench kernels: ${runtime.name} is no GPU`);
  }
  const timer = new GpuTimer(gpu);
  return { gpu, runtime, timer, [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/** The buffers and sessions of one case at one size; disposing gives them all back. */
export class Workspace implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();

  constructor(readonly bench: Workbench) {}

  /** A storage buffer, filled where data is given. */
  buffer(bytes: number, label: string, data?: ArrayBufferView<ArrayBuffer>): GPUBuffer {
    return this.#keep(this.bench.gpu.buffers.take(bytes, label), data);
  }

  uniform(data: ArrayBufferView<ArrayBuffer>, label: string): GPUBuffer {
    const { buffers } = this.bench.gpu;
    return this.#keep(buffers.take(data.byteLength, label, UNIFORM_USAGE), data);
  }

  onDispose(release: () => Promise<void>): void {
    this.#stack.defer(release);
  }

  #keep(taken: PooledBuffer, data: ArrayBufferView<ArrayBuffer> | undefined): GPUBuffer {
    this.#stack.use(taken);
    if (data) this.bench.gpu.device.queue.writeBuffer(taken.buffer, 0, data);
    return taken.buffer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    this.bench.gpu.buffers.trim();
  }
}
