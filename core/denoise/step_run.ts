import {
  blendAnyLength,
  blendFloat16,
  blendFloat32,
  type Kernel,
  rescaleGuidance,
  stepAnyLength,
  stepFloat16,
  stepFloat32,
} from "../../shaders/mod.ts";
import { AppError } from "../error.ts";
import type { Plan, Source } from "../schedule/mod.ts";
import {
  bindKernel,
  type CompiledKernel,
  compileKernel,
  type Dispatch,
  type Gpu,
  type PooledBuffer,
} from "../gpu/mod.ts";

import { packPlan, ringBytes, type RowSet, sourcePlace, type StepBatch } from "./step_rows.ts";

/** The element type of the network's sample and output. */
export type NetworkType = "float32" | "float16";

/** A batch, and how its network is typed. */
export interface StepRunInput extends StepBatch {
  readonly plan: Plan;
  readonly dataType: NetworkType;
}

/**
 * A whole run's steps, bound and ready: `dispatches[0]` makes x_0 and the network's first input,
 * `dispatches[i + 1]` is step i, in one pass. Disposing gives the buffers back.
 */
export interface StepRun extends Disposable {
  readonly dispatches: readonly (readonly Dispatch[])[];
  /** [rows, n] of the network's type; a row an image, or the negative rows and then the others. */
  readonly networkInput: PooledBuffer;
  readonly networkOutput: PooledBuffer;
  /** The newest x and D as float16 bits, u16[images, n rounded up to fours]. */
  readonly stateBits: PooledBuffer;
  readonly denoisedBits: PooledBuffer;
  /** All that a row reaches, f32; see `ringPlace`. */
  readonly ring: PooledBuffer;
}

/** Which variant of the step kernel a network needs. @param blends the run has a mask. */
export function stepKernel(dataType: NetworkType, n: number, blends = false): Kernel {
  if (n % 4 === 0 && dataType === "float16") return blends ? blendFloat16 : stepFloat16;
  if (n % 4 === 0) return blends ? blendFloat32 : stepFloat32;
  if (dataType === "float32") return blends ? blendAnyLength : stepAnyLength;
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
  const blends = input.plan.rows.some(({ blend }) => blend);
  const kernel = stepKernel(input.dataType, input.n, blends);
  const compiled = await Promise.all(sets.map((set) => compileStep(gpu, kernel, set, input)));
  return await gpu.guarded(
    "prepare the steps",
    () => bindSteps(gpu, compiled, sets, input),
    (steps) => steps[Symbol.dispose](),
  );
}

interface CompiledStep {
  readonly step: CompiledKernel;
  /** Before it, where guidance is rescaled. */
  readonly rescale: CompiledKernel | undefined;
}

async function compileStep(
  gpu: Gpu,
  kernel: Kernel,
  { terms, rescales }: RowSet,
  { dataType }: StepRunInput,
): Promise<CompiledStep> {
  const half = { HALF: Number(dataType === "float16") };
  const [step, rescale] = await Promise.all([
    compileKernel(gpu, kernel, { TERMS: terms }),
    rescales && compileKernel(gpu, rescaleGuidance, half),
  ]);
  return { step, rescale };
}

function bindSteps(
  gpu: Gpu,
  compiled: readonly CompiledStep[],
  sets: readonly RowSet[],
  input: StepRunInput,
): StepRun {
  using stack = new DisposableStack();
  const take = (bytes: number, label: string) => stack.use(gpu.buffers.take(bytes, label));
  const rows = upload(gpu, take, "step rows", sets.map(({ bytes }) => bytes));
  const rescales = upload(gpu, take, "rescales", sets.flatMap((set) => set.rescales ?? []));
  const buffers = takeBuffers(take, input);
  const { networkOutput, networkInput, ring, stateBits, denoisedBits } = buffers;
  const blends = input.plan.rows.some(({ blend }) => blend);
  const source = blends && input.source ? takeSource(gpu, take, input.source) : [];
  if (input.source) writeSource(gpu, ring, input);
  const others = [networkOutput, networkInput, ring, stateBits, denoisedBits, ...source];
  const extent = { items: input.n, images: input.seeds.length };
  const dispatches = compiled.map(({ step, rescale }, k) => {
    const bound = bindKernel(
      gpu,
      step,
      [rows[k], ...others.map(({ buffer }) => buffer)],
      extent,
    );
    // The first set, of x_0, has nothing to rescale.
    const reads = [rescales[k - 1], networkOutput.buffer, rows[k]];
    return rescale ? [bindKernel(gpu, rescale, reads, extent), bound] : [bound];
  });
  const owned = stack.move();
  return { dispatches, ...buffers, [Symbol.dispose]: () => owned.dispose() };
}

/** Parts of one buffer, each where a binding may begin. */
function upload(
  gpu: Gpu,
  take: (bytes: number, label: string) => PooledBuffer,
  label: string,
  parts: readonly Uint8Array<ArrayBuffer>[],
): readonly GPUBufferBinding[] {
  if (parts.length === 0) return [];
  const unit = gpu.device.limits.minStorageBufferOffsetAlignment;
  const stride = Math.ceil(parts[0].length / unit) * unit;
  const { buffer } = take(parts.length * stride, label);
  return parts.map((bytes, k) => {
    gpu.device.queue.writeBuffer(buffer, k * stride, bytes);
    return { buffer, offset: k * stride, size: bytes.length };
  });
}

/** The source's latent where the first dispatch reads it. */
function writeSource(gpu: Gpu, { buffer }: PooledBuffer, input: StepRunInput): void {
  const latent = input.source?.latent.slice();
  for (const image of input.seeds.keys()) {
    if (latent) gpu.device.queue.writeBuffer(buffer, 16 * sourcePlace(input, image), latent);
  }
}

/** Latent and mask, each padded to fours, for kernels that blend; none without a mask. */
function takeSource(
  gpu: Gpu,
  take: (bytes: number, label: string) => PooledBuffer,
  { latent, mask }: Source,
): readonly PooledBuffer[] {
  if (!mask) return [];
  const padded = Math.ceil(latent.length / 4) * 4;
  const both = new Float32Array(2 * padded);
  both.set(latent);
  both.set(mask, padded);
  const taken = take(both.byteLength, "source and mask");
  gpu.device.queue.writeBuffer(taken.buffer, 0, both);
  return [taken];
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
