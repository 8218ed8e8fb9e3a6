import { type Kernel, stepAnyLength, stepFloat16, stepFloat32 } from "../../shaders/mod.ts";
import { AppError } from "../error.ts";
import type { Plan } from "../schedule/mod.ts";
import {
  bindKernel,
  type CompiledKernel,
  compileKernel,
  type Dispatch,
  type Gpu,
  type PooledBuffer,
} from "../gpu/mod.ts";

import { packPlan, ringBytes, type RowSet, type StepBatch } from "./step_rows.ts";

/** The element type of the network's sample and output. */
export type NetworkType = "float32" | "float16";

/** A batch, and how its network is typed. */
export interface StepRunInput extends StepBatch {
  readonly plan: Plan;
  readonly dataType: NetworkType;
}

/**
 * A whole run's steps, bound and ready: `dispatches[0]` makes x_0 and the network's first input,
 * `dispatches[i + 1]` is step i. Disposing gives the buffers back.
 */
export interface StepRun extends Disposable {
  readonly dispatches: readonly Dispatch[];
  /** [rows, n] of the network's type; a row an image, or the negative rows and then the others. */
  readonly networkInput: PooledBuffer;
  readonly networkOutput: PooledBuffer;
  /** The newest x and D as float16 bits, u16[images, n rounded up to fours]. */
  readonly stateBits: PooledBuffer;
  readonly denoisedBits: PooledBuffer;
  /** All that a row reaches, f32; see `ringPlace`. */
  readonly ring: PooledBuffer;
}

/** Which variant of the step kernel a network needs. */
export function stepKernel(dataType: NetworkType, n: number): Kernel {
  if (n % 4 === 0) return dataType === "float16" ? stepFloat16 : stepFloat32;
  if (dataType === "float32") return stepAnyLength;
  throw new AppError(
    "shape_mismatch",
    `Cannot step a float16 latent: its length is ${n}, not a multiple of 4`,
  );
}

/**
 * Compiles the step kernel and binds it for every step of a run.
 * @throws AppError `shape_mismatch`, `gpu_failed`, `device_lost`.
 */
export async function prepareSteps(gpu: Gpu, input: StepRunInput): Promise<StepRun> {
  const sets = packPlan(input.plan, input);
  const kernel = stepKernel(input.dataType, input.n);
  const compiled = await Promise.all(
    sets.map(({ terms }) => compileKernel(gpu, kernel, { TERMS: terms })),
  );
  return await gpu.guarded(
    "prepare the steps",
    () => bindSteps(gpu, compiled, sets, input),
    (steps) => steps[Symbol.dispose](),
  );
}

function bindSteps(
  gpu: Gpu,
  compiled: readonly CompiledKernel[],
  sets: readonly RowSet[],
  input: StepRunInput,
): StepRun {
  using stack = new DisposableStack();
  const take = (bytes: number, label: string) => stack.use(gpu.buffers.take(bytes, label));
  const unit = gpu.device.limits.minStorageBufferOffsetAlignment;
  const stride = Math.ceil(sets[0].bytes.length / unit) * unit;
  const rows = take(sets.length * stride, "step rows").buffer;
  const buffers = takeBuffers(take, input);
  const { networkOutput, networkInput, ring, stateBits, denoisedBits } = buffers;
  const others = [networkOutput, networkInput, ring, stateBits, denoisedBits];
  const dispatches = sets.map(({ bytes }, k) => {
    gpu.device.queue.writeBuffer(rows, k * stride, bytes);
    const part = { buffer: rows, offset: k * stride, size: bytes.length };
    const resources = [part, ...others.map(({ buffer }) => buffer)];
    const extent = { items: input.n, images: input.seeds.length };
    return bindKernel(gpu, compiled[k], resources, extent);
  });
  const owned = stack.move();
  return { dispatches, ...buffers, [Symbol.dispose]: () => owned.dispose() };
}

function takeBuffers(take: (bytes: number, label: string) => PooledBuffer, input: StepRunInput) {
  const { n, seeds: { length: images }, guidanceScale, dataType } = input;
  const networkRows = guidanceScale === undefined ? images : 2 * images;
  const networkBytes = networkRows * n * (dataType === "float16" ? 2 : 4);
  const halfBytes = images * Math.ceil(n / 4) * 8;
  return {
    networkOutput: take(networkBytes, "network output"),
    networkInput: take(networkBytes, "network input"),
    ring: take(ringBytes(input), "latents"),
    stateBits: take(halfBytes, "x as float16"),
    denoisedBits: take(halfBytes, "D as float16"),
  };
}
