import type { Dispatch, Gpu } from "../../gpu/mod.ts";

/** Milliseconds of one run. */
export interface Timing {
  /** From handing the work over to the end of the fence, divided by the runs. */
  readonly wallMs: number;
  /** By the device's own clock, where it has a sane one: without submission and fence. */
  readonly gpuMs?: number;
}

/** Two timestamps of 8 bytes. */
const STAMPS_BYTES = 16;
const QUERY_USAGE = 0x200 | 0x04; // QUERY_RESOLVE | COPY_SRC

/** Times work on a device by the wall clock and by timestamp queries. Owns the query set. */
export class GpuTimer implements Disposable {
  readonly #gpu: Gpu;
  readonly #queries: { readonly set: GPUQuerySet; readonly stamps: GPUBuffer } | undefined;

  /** @param stamps asks for timestamps; they are taken where the device has them. */
  constructor(gpu: Gpu, stamps = true) {
    this.#gpu = gpu;
    if (!stamps || !gpu.device.features.has("timestamp-query")) return;
    this.#queries = {
      set: gpu.device.createQuerySet({ label: "bench", type: "timestamp", count: 2 }),
      stamps: gpu.device.createBuffer({
        label: "timestamps",
        size: STAMPS_BYTES,
        usage: QUERY_USAGE,
      }),
    };
  }

  get hasTimestamps(): boolean {
    return this.#queries !== undefined;
  }

  /** Dispatches in one pass of one submission: `times` runs of the same work. */
  async timePass(times: number, dispatches: readonly Dispatch[]): Promise<Timing> {
    const set = this.#queries?.set;
    return await this.#time(times, (encoder) => {
      const pass = encoder.beginComputePass({
        label: "bench",
        timestampWrites: set &&
          { querySet: set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
      });
      for (const { pipeline, group, workgroups } of dispatches) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups);
      }
      pass.end();
    });
  }

  /** Commands outside of passes, between two empty passes that carry the timestamps. */
  async timeCommands(
    times: number,
    record: (encoder: GPUCommandEncoder) => void,
  ): Promise<Timing> {
    const set = this.#queries?.set;
    return await this.#time(times, (encoder) => {
      if (set) mark(encoder, { querySet: set, endOfPassWriteIndex: 0 });
      for (let k = 0; k < times; k++) record(encoder);
      if (set) mark(encoder, { querySet: set, beginningOfPassWriteIndex: 1 });
    });
  }

  /** Work that submits by itself, such as onnxruntime's: by the wall clock alone. */
  async timeSubmissions(times: number, submit: () => Promise<void>): Promise<Timing> {
    const started = performance.now();
    for (let k = 0; k < times; k++) await submit();
    await this.#gpu.device.queue.onSubmittedWorkDone();
    return { wallMs: (performance.now() - started) / times };
  }

  async #time(times: number, record: (encoder: GPUCommandEncoder) => void): Promise<Timing> {
    const { device, staging } = this.#gpu;
    const queries = this.#queries;
    const started = performance.now();
    const encoder = device.createCommandEncoder({ label: "bench" });
    record(encoder);
    if (queries) encoder.resolveQuerySet(queries.set, 0, 2, queries.stamps, 0);
    const readback = queries && staging.copy(encoder, queries.stamps, STAMPS_BYTES);
    device.queue.submit([encoder.finish()]);
    const stamps = readback && new BigUint64Array((await readback.read()).buffer);
    if (!stamps) await device.queue.onSubmittedWorkDone();
    const wallMs = (performance.now() - started) / times;
    return stamps ? { wallMs, gpuMs: Number(stamps[1] - stamps[0]) / 1e6 / times } : { wallMs };
  }

  [Symbol.dispose](): void {
    this.#queries?.set.destroy();
    this.#queries?.stamps.destroy();
  }
}

function mark(encoder: GPUCommandEncoder, timestampWrites: GPUComputePassTimestampWrites): void {
  encoder.beginComputePass({ label: "mark", timestampWrites }).end();
}
