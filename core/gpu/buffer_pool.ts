import { counted } from "../counted.ts";
import { AppError } from "../error.ts";

/** A buffer on loan from a pool; disposing gives it back. */
export interface PooledBuffer extends Disposable {
  readonly buffer: GPUBuffer;
  /** As asked for; the buffer may be larger. */
  readonly bytes: number;
}

/** Device memory of a pool, in bytes. */
export interface MemoryUse {
  /** In buffers on loan. */
  readonly inUse: number;
  /** In all buffers, the idle ones included. */
  readonly held: number;
  /** The highest so far. */
  readonly peak: number;
}

/** What onnxruntime asks of a buffer that it reads or writes. */
export const STORAGE_USAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST

/** Sizes are rounded up to this, so that near misses share buffers and vec4 arrays end whole. */
const GRAIN = 256;

/** Bytes of idle buffers that are kept: those of a run or two of eight images of 1024x1024. */
const IDLE_BYTES = 128 * 2 ** 20;

/**
 * Buffers by size and usage, lent out and taken back; accounts for the memory of them all. Requests
 * choose sizes, so the idle ones are bounded: the least recently used goes first.
 */
export class BufferPool implements Disposable {
  readonly #device: GPUDevice;
  readonly #idleBytes: number;
  /** Those given back last at the end. */
  readonly #idle: GPUBuffer[] = [];
  readonly #all = new Set<GPUBuffer>();
  /** On loan when the device failed: not lent again, since they may be no buffers. */
  readonly #retired = new WeakSet<GPUBuffer>();
  #inUse = 0;
  #held = 0;
  #peak = 0;

  constructor(device: GPUDevice, idleBytes: number = IDLE_BYTES) {
    this.#device = device;
    this.#idleBytes = idleBytes;
  }

  get memory(): MemoryUse {
    return { inUse: this.#inUse, held: this.#held, peak: this.#peak };
  }

  /**
   * A buffer of at least so many bytes; what it holds is left over from its last user.
   * @param usage GPUBufferUsage bits.
   * @throws AppError `gpu_failed` when the device has no buffers of this size. A device out of
   * memory reports to the caller's error scope (`Gpu.guarded`).
   */
  take(bytes: number, label: string, usage: number = STORAGE_USAGE): PooledBuffer {
    const size = Math.max(GRAIN, Math.ceil(bytes / GRAIN) * GRAIN);
    const place = this.#idle.findLastIndex((idle) => idle.size === size && idle.usage === usage);
    const buffer = place < 0 ? this.#create(size, label, usage) : this.#idle.splice(place, 1)[0];
    buffer.label = label;
    this.#inUse += size;
    return { buffer, bytes, [Symbol.dispose]: once(() => this.#giveBack(buffer)) };
  }

  /** Frees the idle buffers. */
  trim(): void {
    for (const buffer of this.#idle.splice(0)) this.#free(buffer);
  }

  /** After a failed allocation: frees what is idle, and never lends again what is on loan now. */
  retire(): void {
    this.trim();
    for (const buffer of this.#all) this.#retired.add(buffer);
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
    this.#idle.length = 0;
    this.#held = this.#inUse = 0;
  }

  #create(size: number, label: string, usage: number): GPUBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    const max = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (!(size <= max)) {
      throw new AppError(
        "gpu_failed",
        `Cannot allocate ${label}: it is ${counted(size, "byte")}, and this device allows ${max}`,
      );
    }
    const buffer = this.#device.createBuffer({ label, size, usage });
    this.#all.add(buffer);
    this.#held += size;
    this.#peak = Math.max(this.#peak, this.#held);
    return buffer;
  }

  #giveBack(buffer: GPUBuffer): void {
    if (!this.#all.has(buffer)) return;
    this.#inUse -= buffer.size;
    if (this.#retired.has(buffer)) return this.#free(buffer);
    this.#idle.push(buffer);
    while (this.#held - this.#inUse > this.#idleBytes) this.#free(this.#idle.splice(0, 1)[0]);
  }

  #free(buffer: GPUBuffer): void {
    this.#all.delete(buffer);
    this.#held -= buffer.size;
    buffer.destroy();
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
