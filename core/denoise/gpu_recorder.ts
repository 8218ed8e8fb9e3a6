import { encodeDispatches, type Gpu, type Readback } from "../gpu/mod.ts";
import type { StepRun } from "./step_run.ts";
import { allFiniteHalf, fromHalf } from "../half.ts";
import type { LatentDims } from "./latent_dims.ts";
import type { Leaf, LoopEvents } from "./loop_input.ts";
import { notFinite } from "./not_finite.ts";

/** Leaves that may be in flight to the host while the loop continues. */
const IN_FLIGHT = 16;

/**
 * Submits the steps of a run and reads their results aside, in order, while later steps go on.
 * Dispatch k of each group writes x_k and D_{k-1}.
 */
export class GpuRecorder {
  readonly #gpu: Gpu;
  readonly #groups: readonly StepRun[];
  /** Elements of one image's latent. */
  readonly #length: number;
  readonly #events: LoopEvents;
  readonly #deliveries: Promise<void>[] = [Promise.resolve()];
  #latest = new Uint16Array();

  constructor(gpu: Gpu, groups: readonly StepRun[], dims: LatentDims, events: LoopEvents) {
    this.#gpu = gpu;
    this.#groups = groups;
    this.#length = dims.reduce((product, side) => product * side, 1);
    this.#events = events;
  }

  /** Submits dispatch k of every group. Waits only when too much is in flight. */
  async submit(k: number, kinds: readonly Leaf["kind"][]): Promise<void> {
    const submitted = this.#gpu.guarded("run a step", () => this.#encode(k, kinds), (leaves) => {
      for (const readback of leaves.flat()) readback[Symbol.dispose]();
    });
    for (const [place, kind] of kinds.entries()) {
      const bytes = submitted.then((leaves) => readAll(leaves[place]));
      const index = kind === "x" ? k : k - 1;
      const before = this.#deliveries[this.#deliveries.length - 1];
      const delivery = Promise.all([bytes, before])
        .then(([parts]) => this.#deliver(kind, index, parts));
      // Its failure rejects the next delivery, or the end.
      delivery.catch(() => {});
      this.#deliveries.push(delivery);
    }
    submitted.catch(() => {});
    if (kinds.length === 0) await submitted;
    if (this.#deliveries.length > IN_FLIGHT) await this.#deliveries.shift();
  }

  /** Waits until all is delivered. @returns x_N of each image, f32. */
  async end(): Promise<Float32Array[]> {
    await Promise.all(this.#deliveries);
    return this.#images(this.#latest);
  }

  #encode(k: number, kinds: readonly Leaf["kind"][]): Readback[][] {
    const { device, staging } = this.#gpu;
    const encoder = device.createCommandEncoder({ label: `step ${k}` });
    const leaves = kinds.map((): Readback[] => []);
    for (const { dispatches, stateBits, denoisedBits } of this.#groups) {
      encodeDispatches(encoder, dispatches[k]);
      for (const [place, kind] of kinds.entries()) {
        const { buffer, bytes } = kind === "x" ? stateBits : denoisedBits;
        leaves[place].push(staging.copy(encoder, buffer, bytes));
      }
    }
    device.queue.submit([encoder.finish()]);
    return leaves;
  }

  #deliver(kind: Leaf["kind"], index: number, parts: readonly Uint8Array<ArrayBuffer>[]): void {
    const bits = this.#unpad(parts);
    const [{ dispatches }] = this.#groups;
    // The first dispatch makes x_0.
    if (!allFiniteHalf(bits)) throw notFinite(kind, index, dispatches.length - 1);
    this.#events.onLeaf?.({ kind, index, bits });
    if (kind === "x") this.#latest = bits;
    else this.#events.onStep?.(index, this.#images(bits));
  }

  /** The groups' images one after the other, without the padding of each to fours. */
  #unpad(parts: readonly Uint8Array<ArrayBuffer>[]): Uint16Array<ArrayBuffer> {
    const padded = Math.ceil(this.#length / 4) * 4;
    const images = parts.flatMap((part) => {
      const bits = new Uint16Array(part.buffer);
      return Array.from(
        { length: bits.length / padded },
        (_, k) => bits.subarray(k * padded, k * padded + this.#length),
      );
    });
    const joined = new Uint16Array(images.length * this.#length);
    images.forEach((image, k) => joined.set(image, k * this.#length));
    return joined;
  }

  #images(bits: Uint16Array): Float32Array[] {
    return Array.from(
      { length: bits.length / this.#length },
      (_, k) => fromHalf(bits.subarray(k * this.#length, (k + 1) * this.#length)),
    );
  }
}

function readAll(readbacks: readonly Readback[]): Promise<Uint8Array<ArrayBuffer>[]> {
  return Promise.all(readbacks.map((readback) => readback.read()));
}
