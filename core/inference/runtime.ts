import type { Gpu } from "../gpu/mod.ts";
import type { GraphFiles, ModelFiles } from "../model/mod.ts";

import type { GpuTensor, Tensor, TensorSpec } from "./tensor.ts";

/** A loaded graph. Feeds and results are named as in the graph. */
export interface Session {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** @param fetches the outputs wanted; the others are not computed where that saves work. */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, Tensor>>>;
  /**
   * Runs from and into buffers on the runtime's device, without waiting for the device to be done.
   * @throws AppError `shape_mismatch` when a buffer is too small for its tensor.
   */
  runInto(
    feeds: Readonly<Record<string, Tensor | GpuTensor>>,
    outputs: Readonly<Record<string, GpuTensor>>,
  ): Promise<void>;
  release(): Promise<void>;
}

/** What computes, as receipts and calibration records name it. */
export interface Backend {
  /** Which library: `cpu`, `native`, `chrome`, `browser`, `wasm`. */
  readonly host: string;
  /** The device as WebGPU names it; `cpu` where that is none. */
  readonly adapter: string;
}

/** Loads graphs: onnxruntime on one kind of device. Hosts implement it; core only uses it. */
export interface Runtime {
  /** For people: library, version and device. */
  readonly name: string;
  readonly backend: Backend;
  /**
   * How many images go through the network in one call. 1 where a batch gains nothing: then an
   * image is bit-identical alone and in any batch.
   */
  readonly imagesPerCall: number;
  /** The device that sessions share with our kernels; undefined when they compute on the CPU. */
  readonly gpu: Gpu | undefined;
  /** Bytes of the largest file of weights that it can address; undefined where any will do. */
  readonly maxFileBytes?: number;
  /** Bytes of all weights together that its memory can hold; undefined where the machine's is all. */
  readonly maxWeightBytes?: number;
  /** True when it reads files by their path on disk, without a copy of them in memory. */
  readonly byPath: boolean;
  open(files: ModelFiles, graph: GraphFiles): Promise<Session>;
}
