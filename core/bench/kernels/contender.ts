import type { GpuTimer, Timing } from "./gpu_timer.ts";
import { type Dispatch, encodeDispatches, type Gpu } from "../../gpu/mod.ts";

/** A contender's kind: ours, or what ours is compared with. */
export type ContenderKind = "kernel" | "copy kernel" | "buffer copy" | "cpu" | "onnx";

/** Numbers that a contender computed; undefined where there is nothing to compare. */
export type Result = ArrayLike<number> | undefined;

/** One way to do a case's work, ready to run any number of times. */
export interface Contender {
  /** `step_f32 @256`: kernels with their workgroup size and what else makes the variant. */
  readonly name: string;
  readonly kind: ContenderKind;
  /** Bytes that it must at least read and write. */
  readonly bytes: number;
  /** This is what the engine uses on this class of adapter. */
  readonly chosen: boolean;
  /** WGSL of our kernels. */
  readonly code?: string;
  /** @returns of one of so many runs in a row, with one fence at their end. */
  run(times: number): Promise<Timing>;
  /** Runs once and gives what came out. */
  result(): Promise<Result>;
}

/** The same function in JavaScript. */
export function cpuContender(name: string, bytes: number, compute: () => Result): Contender {
  return {
    name,
    kind: "cpu",
    bytes,
    chosen: false,
    run(times) {
      const started = performance.now();
      for (let k = 0; k < times; k++) compute();
      return Promise.resolve({ wallMs: (performance.now() - started) / times });
    },
    result: () => Promise.resolve(compute()),
  };
}

/** What a dispatch writes, to be compared with the reference. */
export interface Output {
  readonly buffer: GPUBuffer;
  /** Bytes; multiples of 4. */
  readonly offset: number;
  readonly bytes: number;
  readonly decode: (bytes: ArrayBuffer) => ArrayLike<number>;
}

export interface DispatchContender {
  readonly name: string;
  readonly kind: "kernel" | "copy kernel";
  readonly bytes: number;
  readonly chosen: boolean;
  readonly code?: string;
  readonly dispatches: readonly Dispatch[];
  readonly output?: Output;
}

/** Dispatches, many times in one pass. */
export function dispatchContender(
  gpu: Gpu,
  timer: GpuTimer,
  { dispatches, output, ...facts }: DispatchContender,
): Contender {
  const repeated = (times: number) => Array.from({ length: times }, () => dispatches).flat();
  return {
    ...facts,
    run: (times) => timer.timePass(times, repeated(times)),
    result: async () => output && await runAndRead(gpu, dispatches, output),
  };
}

/** The output is cleared first, so that nothing of another contender is taken for this one's. */
async function runAndRead(
  gpu: Gpu,
  dispatches: readonly Dispatch[],
  { buffer, offset, bytes, decode }: Output,
): Promise<ArrayLike<number>> {
  const encoder = gpu.device.createCommandEncoder({ label: "check" });
  encoder.clearBuffer(buffer, offset, bytes);
  encodeDispatches(encoder, dispatches);
  const readback = gpu.staging.copy(encoder, buffer, bytes, offset);
  gpu.device.queue.submit([encoder.finish()]);
  return decode((await readback.read()).buffer);
}

export const floatsOf = (bytes: ArrayBuffer) => new Float32Array(bytes);
