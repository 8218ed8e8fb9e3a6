import { roundHalf, toHalf } from "../../half.ts";
import { type Plan, planFromConfig } from "../../schedule/mod.ts";
import { floatsOf, type Output } from "./contender.ts";

import { noise } from "./data.ts";
import { packPlan, ringPlace } from "../../denoise/mod.ts";
import { type BenchSize, itemsOf } from "../report/mod.ts";
import type { Workspace } from "./workbench.ts";

/** In the middle of a run: a second-order row that reads x_i and D_{i-1}. */
const STEP = 10;
const STEPS = 20;
const GUIDANCE = 7.5;
/** Draws of the network's outputs; the ring has 0 to 7. */
const POSITIVE = 8;
const NEGATIVE = 9;
/** Tensors in the ring: four states, four predictions. */
const SLOTS = 8;

/** DPM-Solver++ as an ODE, or as an SDE, whose rows add noise. */
function benchPlan(noisy: boolean): Plan {
  const config = {
    _class_name: "DPMSolverMultistepScheduler",
    algorithm_type: noisy ? "sde-dpmsolver++" : "dpmsolver++",
    use_karras_sigmas: true,
  };
  return planFromConfig(config, STEPS);
}

/** One guided step for a batch, on the host. All tensors f32[batch, n]. */
export function stepData(size: BenchSize, noisy: boolean) {
  const n = itemsOf("latent", size);
  const all = n * size.batch;
  const plan = benchPlan(noisy);
  const seeds = Array.from({ length: size.batch }, (_, k) => BigInt(k + 1));
  const batch = { n, seeds, guidanceScale: GUIDANCE, guidanceRescale: 0 };
  const slot = (kind: "x" | "d", i: number) => 4 * ringPlace(batch, kind, i, 0) / all;
  return {
    n,
    all,
    batch,
    row: plan.rows[STEP],
    draw: STEP + 1,
    rowSet: packPlan(plan, batch)[STEP + 1],
    /** x_i, and D_{i-1}. */
    state: noise(slot("x", STEP), all),
    before: noise(slot("d", STEP - 1), all),
    // Numbers of float16, so that networks of either type say the same.
    positive: roundHalf(noise(POSITIVE, all)),
    negative: roundHalf(noise(NEGATIVE, all)),
    /** Where x_{i+1} is written: f32 elements from the ring's start. */
    nextAt: 4 * ringPlace(batch, "x", STEP + 1, 0),
  };
}

export type StepData = ReturnType<typeof stepData>;

/** The same on the device, as the step kernels bind it. */
export function stepBuffers(space: Workspace, data: StepData) {
  const { all } = data;
  const ring = space.buffer(SLOTS * all * 4, "ring", ringFloats(all));
  const stateBits = space.buffer(all * 2, "x as float16");
  const denoisedBits = space.buffer(all * 2, "D as float16");
  const rows = space.buffer(data.rowSet.bytes.length, "rows", data.rowSet.bytes);
  const outputs = networkOutput(data);
  const network = (bytes: ArrayBufferView<ArrayBuffer>, name: string) => [
    space.buffer(bytes.byteLength, `network output, ${name}`, bytes),
    space.buffer(bytes.byteLength, `network input, ${name}`),
  ];
  const next: Output = { buffer: ring, offset: 4 * data.nextAt, bytes: 4 * all, decode: floatsOf };
  const resources = (
    tensors: readonly GPUBuffer[],
  ) => [rows, ...tensors, ring, stateBits, denoisedBits];
  return {
    next,
    float32: resources(network(outputs, "f32")),
    float16: () => resources(network(toHalf(outputs), "f16")),
  };
}

/** f32[2 * batch, n]: the negative prompt's rows come first. */
export function networkOutput({ negative, positive }: StepData): Float32Array<ArrayBuffer> {
  const both = new Float32Array(negative.length + positive.length);
  both.set(negative);
  both.set(positive, negative.length);
  return both;
}

function ringFloats(all: number): Float32Array<ArrayBuffer> {
  const ring = new Float32Array(SLOTS * all);
  for (let slot = 0; slot < SLOTS; slot++) ring.set(noise(slot, all), slot * all);
  return ring;
}

/**
 * Bytes that a guided second-order step must move: it reads x, D_{i-1} and two network outputs, and
 * writes D and x in f32 and in f16, and two network inputs.
 * @param width bytes of the network's numbers.
 */
export function stepBytes(elements: number, width: 2 | 4): number {
  return elements * (2 * 4 + 2 * width + 2 * (4 + 2) + 2 * width);
}
