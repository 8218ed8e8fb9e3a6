import type { AdapterClass } from "../../shaders/mod.ts";
import { AppError } from "../error.ts";
import { adapterClass, adapterName } from "./adapter.ts";
import { BufferPool } from "./buffer_pool.ts";
import { countBuffers, type DeviceMemory } from "./device_memory.ts";
import { guarded } from "./guarded.ts";
import { StagingPool } from "./staging_pool.ts";

/** The limits that large models and kernels reach for: asked for as high as the adapter has them. */
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
const FEATURES = ["shader-f16", "subgroups", "timestamp-query"] as const;

export type LimitName = typeof LIMITS[number];

/** What some work asks of an adapter. */
export interface GpuNeeds {
  /** For people: "stable-diffusion-xl at 1024x1024". */
  readonly work: string;
  readonly limits?: Readonly<Partial<Record<LimitName, number>>>;
  readonly features?: readonly GPUFeatureName[];
  /** What to do where the adapter falls short: "Use a smaller model, or --compute cpu". */
  readonly advice: string;
}

/**
 * Owns a device, its pooled buffers and all its memory; share `device` with onnxruntime.
 * Disposing destroys the device.
 */
export class Gpu implements Disposable {
  readonly buffers: BufferPool;
  readonly staging: StagingPool;
  /** Settles once, when the device is gone: AppError `device_lost`. */
  readonly lost: Promise<AppError>;
  readonly #memory: () => DeviceMemory;
  #lost: AppError | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly name: string,
    readonly adapterClass: AdapterClass,
  ) {
    this.#memory = countBuffers(this.device);
    this.buffers = new BufferPool(this.device);
    this.staging = new StagingPool(this.buffers);
    this.lost = this.device.lost.then(({ reason, message }) =>
      this.#lost = new AppError(
        "device_lost",
        `Cannot compute on ${name}: its device is lost (${reason || "unknown"}: ${message})`,
      )
    );
  }

  /** Memory of all buffers of the device, onnxruntime's included. */
  get memory(): DeviceMemory {
    return this.#memory();
  }

  /** @throws AppError `device_lost` once the device is gone. */
  throwIfLost(): void {
    if (this.#lost) throw this.#lost;
  }

  /**
   * Does GPU work in an error scope.
   * @param doing for the sentence: "run the step kernel".
   * @throws AppError `gpu_failed` with the driver's words, `device_lost` once the device is gone.
   */
  async guarded<T>(doing: string, work: () => T): Promise<T> {
    this.throwIfLost();
    return await guarded(this.device, doing, work);
  }

  [Symbol.dispose](): void {
    this.staging[Symbol.dispose]();
    this.buffers[Symbol.dispose]();
    this.device.destroy();
  }
}

/**
 * A device with every limit and feature of its adapter that models and kernels use.
 * @throws AppError `host_unavailable` where the adapter falls short of the needs, saying what was
 * found, what is needed and what to do.
 */
export async function openDevice(adapter: GPUAdapter, needs?: GpuNeeds): Promise<Gpu> {
  const name = adapterName(adapter);
  if (needs) checkNeeds(adapter, name, needs);
  const device = await adapter.requestDevice({
    label: "stepwise",
    requiredFeatures: FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
  });
  return new Gpu(device, name, adapterClass(adapter));
}

function checkNeeds(adapter: GPUAdapter, name: string, needs: GpuNeeds): void {
  const { work, limits = {}, features = [], advice } = needs;
  const feature = features.find((wanted) => !adapter.features.has(wanted));
  if (feature) {
    refuse(`Cannot run ${work}: ${name} is without the feature ${feature}. ${advice}`);
  }
  for (const limit of LIMITS) {
    const needed = limits[limit] ?? 0;
    if (adapter.limits[limit] < needed) {
      const has = `${name} has ${limit} ${adapter.limits[limit]}`;
      refuse(`Cannot run ${work}: ${has}, and ${needed} is needed. ${advice}`);
    }
  }
}

function refuse(sentence: string): never {
  throw new AppError("host_unavailable", sentence);
}
