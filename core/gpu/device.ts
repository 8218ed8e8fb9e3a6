import type { AdapterClass } from "../../shaders/mod.ts";
import { AppError } from "../error.ts";
import { adapterClass, adapterName } from "./adapter.ts";
import { BufferPool } from "./buffer_pool.ts";
import { countBuffers, type DeviceMemory } from "./device_memory.ts";
import { guarded } from "./guarded.ts";
import { StagingPool } from "./staging_pool.ts";

/** The limits that large models and kernels need: requested as high as the adapter has them. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** Taken where the adapter has them. */
const FEATURES = ["shader-f16", "timestamp-query"] as const;

export type LimitName = typeof LIMITS[number];

/** What some work asks of a device. */
export interface GpuNeeds {
  /** For people: "stable-diffusion-xl at 1024x1024". */
  readonly work: string;
  /** In bytes, or as WebGPU counts the limit. */
  readonly limits?: Readonly<Partial<Record<LimitName, number>>>;
  readonly features?: readonly GPUFeatureName[];
  /** What to do where the device falls short: "Use a smaller model, or compute on the CPU". */
  readonly advice: string;
}

/** Milliseconds within which a device that failed reports whether it is lost. */
const LOSS_REPORT_MS = 50;

/**
 * Owns a device, its pooled buffers and all its memory; share `device` with onnxruntime.
 * Disposing destroys the device.
 */
export class Gpu implements Disposable {
  readonly buffers: BufferPool;
  readonly staging: StagingPool;
  /** Settles once, when the device is lost: AppError `device_lost`. */
  readonly lost: Promise<AppError>;
  readonly #memory: () => DeviceMemory;
  /** Rejects the work under way. */
  readonly #waiting = new Set<(failure: AppError) => void>();
  #lost: AppError | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly name: string,
    readonly adapterClass: AdapterClass,
  ) {
    this.#memory = countBuffers(this.device);
    this.buffers = new BufferPool(this.device);
    this.staging = new StagingPool(this.buffers);
    this.lost = this.device.lost.then(({ reason, message }) => {
      const words = `${reason || "unknown"}: ${message}`;
      const lost = new AppError(
        "device_lost",
        `Cannot compute on ${name}: its device is lost (${words})`,
      );
      this.#lost = lost;
      this.#failWork(lost);
      return lost;
    });
    // What is outside our scopes is onnxruntime's, which continues without the buffer that it did not
    // get and gives nonsense.
    this.device.addEventListener("uncapturederror", (event) => {
      this.buffers.retire();
      const { error } = event as GPUUncapturedErrorEvent;
      const words = `Cannot compute on ${name}: ${error.message}`;
      this.#failWork(new AppError("gpu_failed", words));
    });
  }

  /** Memory of all buffers of the device, onnxruntime's included. */
  get memory(): DeviceMemory {
    return this.#memory();
  }

  /**
   * @throws AppError `host_unavailable` where the device falls short of the needs, saying what was
   * found, what is needed and what to do.
   */
  require({ work, limits = {}, features = [], advice }: GpuNeeds): void {
    const feature = features.find((wanted) => !this.device.features.has(wanted));
    if (feature) {
      refuse(`Cannot run ${work}: ${this.name} is without the feature ${feature}. ${advice}`);
    }
    for (const limit of LIMITS) {
      const [needed, has] = [limits[limit] ?? 0, this.device.limits[limit]];
      if (has >= needed) continue;
      refuse(
        `Cannot run ${work}: ${this.name} has ${limit} ${has}, and ${needed} is needed. ${advice}`,
      );
    }
  }

  /**
   * What the work gives, or how the device failed meanwhile: onnxruntime may wait for a lost device
   * for ever, fail with its own error before the loss is reported, or not see that memory ran out.
   * @throws AppError `device_lost`, `gpu_failed`, and what the work throws.
   */
  async orFailure<T>(work: PromiseLike<T>): Promise<T> {
    // Not a promise made from `lost`: that would keep every result until the device is lost.
    const { promise: failed, reject } = Promise.withResolvers<never>();
    this.#waiting.add(reject);
    if (this.#lost) reject(this.#lost);
    try {
      return await Promise.race([work, failed]);
    } catch (error) {
      const waited = new Promise<void>((resolve) => setTimeout(resolve, LOSS_REPORT_MS));
      await Promise.race([waited, failed]);
      throw error;
    } finally {
      this.#waiting.delete(reject);
    }
  }

  /** @throws AppError `device_lost` once the device is lost. */
  throwIfLost(): void {
    if (this.#lost) throw this.#lost;
  }

  /**
   * Does GPU work in an error scope.
   * @param doing for the sentence: "run the step kernel".
   * @param undo gives back what the work took from the pools, when the device did not take the work.
   * @throws AppError `gpu_failed` with the driver's words, `device_lost` once the device is lost.
   */
  async guarded<T>(doing: string, work: () => T, undo?: (made: T) => void): Promise<T> {
    this.throwIfLost();
    return await guarded(this.device, doing, work, (made) => {
      this.buffers.retire();
      undo?.(made);
    });
  }

  #failWork(failure: AppError): void {
    for (const reject of this.#waiting) reject(failure);
  }

  [Symbol.dispose](): void {
    this.staging[Symbol.dispose]();
    this.buffers[Symbol.dispose]();
    this.device.destroy();
  }
}

/** A device with every limit and feature of its adapter that models and kernels use. */
export async function openDevice(adapter: GPUAdapter): Promise<Gpu> {
  const device = await adapter.requestDevice({
    label: "stepwise",
    requiredFeatures: featuresOf(adapter),
    requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
  });
  return new Gpu(device, adapterName(adapter), adapterClass(adapter));
}

/**
 * Subgroups of a hardware adapter alone: with those of SwiftShader, of 4 invocations, onnxruntime-web
 * 1.30 computes MultiHeadAttention wrong.
 */
function featuresOf(adapter: GPUAdapter): GPUFeatureName[] {
  const wanted = adapterClass(adapter) === "hardware"
    ? [...FEATURES, "subgroups"] as const
    : FEATURES;
  return wanted.filter((feature) => adapter.features.has(feature));
}

function refuse(sentence: string): never {
  throw new AppError("host_unavailable", sentence, { field: "compute" });
}
