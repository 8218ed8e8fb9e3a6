import { counted } from "../counted.ts";
import { AppError, reason } from "../error.ts";
import type { BufferPool, PooledBuffer } from "./buffer_pool.ts";

const MAP_READ_USAGE = 0x01 | 0x08; // MAP_READ | COPY_DST
const READ = 0x01;

/** Bytes in flight from the device to the host; disposing drops them unread. */
export interface Readback extends Disposable {
  /**
   * The bytes, once. Call it after the copy's encoder is submitted: it waits for that work alone,
   * while later submissions go on, so read-backs of many steps may be awaited together at the end.
   * @throws AppError `gpu_failed` when the device cannot map, as after its loss.
   */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Lends staging buffers, one a read-back in flight. */
export class StagingPool implements Disposable {
  readonly #buffers: BufferPool;

  constructor(buffers: BufferPool) {
    this.#buffers = buffers;
  }

  /** Encodes a copy of so many bytes (a multiple of 4) into a staging buffer. */
  copy(encoder: GPUCommandEncoder, source: GPUBuffer, bytes: number, offset = 0): Readback {
    if (offset + bytes > source.size) {
      throw new AppError(
        "shape_mismatch",
        `Cannot read back ${source.label}: it is ${counted(source.size, "byte")}, not ${
          offset + bytes
        }`,
      );
    }
    const staging = this.#buffers.take(bytes, `${source.label} to host`, MAP_READ_USAGE);
    encoder.copyBufferToBuffer(source, offset, staging.buffer, 0, bytes);
    return {
      read: () => read(staging, source.label),
      [Symbol.dispose]: () => staging[Symbol.dispose](),
    };
  }

  [Symbol.dispose](): void {
    this.#buffers.trim();
  }
}

async function read(staging: PooledBuffer, label: string): Promise<Uint8Array<ArrayBuffer>> {
  const { buffer, bytes } = staging;
  try {
    await buffer.mapAsync(READ, 0, bytes);
  } catch (cause) {
    throw new AppError("gpu_failed", `Cannot read back ${label}: ${reason(cause)}`, { cause });
  }
  const copy = new Uint8Array(buffer.getMappedRange(0, bytes).slice(0));
  buffer.unmap();
  staging[Symbol.dispose]();
  return copy;
}
