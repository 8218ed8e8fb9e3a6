import { counted } from "../counted.ts";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-web";
import { AppError, reason } from "../error.ts";
import type { Gpu } from "../gpu/mod.ts";
import type { GraphFiles, ModelFiles } from "../model/mod.ts";

import { Mutex } from "../mutex.ts";
import type { Backend, Runtime, Session } from "./runtime.ts";
import {
  type ElementType,
  type GpuTensor,
  type Tensor,
  tensorBytes,
  type TensorSpec,
} from "./tensor.ts";

/** The part that onnxruntime-node and every build of onnxruntime-web have in common. */
export interface Ort {
  readonly env: { readonly versions: { readonly node?: string; readonly web?: string } };
  readonly InferenceSession: {
    create(
      model: string | Uint8Array,
      options: InferenceSession.SessionOptions,
    ): Promise<InferenceSession>;
  };
  readonly Tensor: {
    new (type: ElementType, data: Tensor["data"], dims: readonly number[]): OrtTensor;
    fromGpuBuffer(
      buffer: GPUBuffer,
      options: { dataType: ElementType; dims: readonly number[] },
    ): OrtTensor;
  };
}

export interface OrtRuntimeOptions {
  readonly name: string;
  readonly backend: Backend;
  readonly imagesPerCall: number;
  readonly session: InferenceSession.SessionOptions;
  /**
   * Where the weights of a graph that is given as bytes are looked for on disk. One that is opened by
   * path has them beside it: onnxruntime would look for those here as well.
   */
  readonly weightsFolder?: string;
  /** Open by path on disk, so that no copy of the weights passes through JavaScript. */
  readonly byPath: boolean;
  /** As {@link Runtime.maxFileBytes}. */
  readonly maxFileBytes?: number;
  /** As {@link Runtime.maxWeightBytes}. */
  readonly maxWeightBytes?: number;
  /** Whose device was given to the WebGPU provider. */
  readonly gpu?: Gpu;
}

/** onnxruntime-web takes offsets into a file of weights in 32 bits. */
export const WEB_FILE_BYTES = 2 ** 32 - 1;

/** onnxruntime as a {@link Runtime}. Never two of its calls at once: the GPU builds hang on that. */
export function ortRuntime(ort: Ort, options: OrtRuntimeOptions): Runtime {
  const mutex = new Mutex();
  return {
    name: options.name,
    backend: options.backend,
    imagesPerCall: options.imagesPerCall,
    gpu: options.gpu,
    maxFileBytes: options.maxFileBytes,
    maxWeightBytes: options.maxWeightBytes,
    byPath: options.byPath,
    async open(files, graph) {
      const load = () => createSession(ort, options, files, graph);
      return new OrtSession(ort, mutex, graph.graph, load, await mutex.run(load));
    },
  };
}

async function createSession(
  ort: Ort,
  options: OrtRuntimeOptions,
  files: ModelFiles,
  { graph, external }: GraphFiles,
): Promise<InferenceSession> {
  try {
    const local = options.byPath ? files.localPath?.(graph) : undefined;
    if (local) return await ort.InferenceSession.create(local, options.session);
    const externalData = await Promise.all(
      external.map(async ({ location, path }) => ({
        path: location,
        data: await files.bytes(path),
      })),
    );
    const bytes = await files.bytes(graph);
    const session = sessionOfBytes(options);
    return await ort.InferenceSession.create(bytes, { ...session, externalData });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      "model_invalid",
      `Cannot load ${graph} of ${files.name}: the file is damaged or not for this onnxruntime ` +
        `(${reason(cause)})`,
      { cause },
    );
  }
}

/** @see https://onnxruntime.ai/docs/api/c, `kOrtSessionOptionsModelExternalInitializersFileFolderPath`. */
function sessionOfBytes({ session, weightsFolder }: OrtRuntimeOptions) {
  if (weightsFolder === undefined) return session;
  const own: Readonly<Record<string, unknown>> = Object(session.extra?.session);
  const entry = { model_external_initializers_file_folder_path: weightsFolder };
  return { ...session, extra: { ...session.extra, session: { ...own, ...entry } } };
}

class OrtSession implements Session {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #ort: Ort;
  readonly #mutex: Mutex;
  readonly #path: string;
  readonly #load: () => Promise<InferenceSession>;
  /** Only for the holder of the mutex. */
  #session: InferenceSession | undefined;
  #released = false;

  constructor(
    ort: Ort,
    mutex: Mutex,
    path: string,
    load: () => Promise<InferenceSession>,
    session: InferenceSession,
  ) {
    this.#ort = ort;
    this.#mutex = mutex;
    this.#path = path;
    this.#load = load;
    this.#session = session;
    this.inputs = session.inputMetadata.map(specOf);
    this.outputs = session.outputMetadata.map(specOf);
  }

  async run(feeds: Readonly<Record<string, Tensor>>, fetches: readonly string[]) {
    const results = await this.#run(feeds, [...fetches]);
    return Object.fromEntries(fetches.map((name) => [name, ownTensor(results[name])]));
  }

  async runInto(
    feeds: Readonly<Record<string, Tensor | GpuTensor>>,
    outputs: Readonly<Record<string, GpuTensor>>,
  ): Promise<void> {
    await this.#run(feeds, mapValues(outputs, (tensor) => this.#ortTensor(tensor)));
  }

  async #run(
    feeds: Readonly<Record<string, Tensor | GpuTensor>>,
    fetches: string[] | Record<string, OrtTensor>,
  ): Promise<Readonly<Record<string, OrtTensor>>> {
    const inputs = mapValues(feeds, (tensor) => this.#ortTensor(tensor));
    return await this.#mutex.run(async () => {
      try {
        return await this.#runLoaded(inputs, fetches);
      } catch (cause) {
        // A failed run poisons a session on the GPU builds: the next run starts from a new one.
        // What the poisoned one says of its release explains nothing.
        await this.#drop().catch(() => {});
        if (cause instanceof AppError) throw cause;
        const shapes = Object.entries(feeds).map(([name, { dims }]) => `${name} [${dims}]`);
        throw new AppError(
          "inference_failed",
          `Cannot run ${this.#path} on ${shapes.join(", ")}: ${reason(cause)}`,
          { cause },
        );
      }
    });
  }

  async #runLoaded(
    inputs: Record<string, OrtTensor>,
    fetches: string[] | Record<string, OrtTensor>,
  ): Promise<Readonly<Record<string, OrtTensor>>> {
    if (this.#released) {
      throw new AppError("inference_failed", `Cannot run ${this.#path}: its session was released`);
    }
    const session = this.#session ??= await this.#load();
    // Two signatures, for names and for tensors, that TypeScript cannot choose between.
    const run = session.run.bind(session) as (
      feeds: Record<string, OrtTensor>,
      fetches: string[] | Record<string, OrtTensor>,
    ) => Promise<Record<string, OrtTensor>>;
    return await run(inputs, fetches);
  }

  #ortTensor(tensor: Tensor | GpuTensor): OrtTensor {
    const { type, dims } = tensor;
    if ("data" in tensor) return new this.#ort.Tensor(type, tensor.data, dims);
    const bytes = tensorBytes(tensor);
    // onnxruntime does not check: it would compute on whatever lies behind the buffer.
    if (tensor.buffer.size < bytes) {
      throw new AppError(
        "shape_mismatch",
        `Cannot run ${this.#path}: a buffer is ${
          counted(tensor.buffer.size, "byte")
        }, and [${dims}] of ` +
          `${type} needs ${bytes}`,
      );
    }
    return this.#ort.Tensor.fromGpuBuffer(tensor.buffer, { dataType: type, dims });
  }

  async release(): Promise<void> {
    await this.#mutex.run(async () => {
      this.#released = true;
      await this.#drop();
    });
  }

  async #drop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function specOf(metadata: InferenceSession.ValueMetadata): TensorSpec {
  if (!metadata.isTensor || !isElementType(metadata.type)) {
    const type = metadata.isTensor ? metadata.type : "not a tensor";
    throw new AppError("model_invalid", `Cannot use a graph: ${metadata.name} is ${type}`);
  }
  return { name: metadata.name, type: metadata.type, dims: metadata.shape };
}

function isElementType(type: string): type is ElementType {
  return ["float32", "float16", "int32", "int64"].includes(type);
}

/** Our own view of a result; float16 as bits whatever array type this onnxruntime gives. */
function ownTensor(tensor: OrtTensor): Tensor {
  const { type, dims, data } = tensor;
  if (type === "float16") {
    const { buffer, byteOffset, length } = data as Uint16Array;
    return { type, dims, data: new Uint16Array(buffer, byteOffset, length) };
  }
  if (!isElementType(type)) {
    throw new AppError("model_invalid", `Cannot read a graph's output: its type is ${type}`);
  }
  return { type, dims, data: data as Tensor["data"] };
}
