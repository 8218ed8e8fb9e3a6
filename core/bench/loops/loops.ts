import { AppError, reason } from "../../error.ts";
import type { BenchOptions } from "../kernels/mod.ts";
import type { BenchRow, HostReport } from "../report/mod.ts";
import { STORAGE_USAGE } from "../../gpu/mod.ts";
import { type GpuTensor, type Runtime, type Tensor, tensorBytes } from "../../inference/mod.ts";
import type { ModelFiles } from "../../model/mod.ts";
import { type GenerateOptions, Pipeline } from "../../generation/mod.ts";

import { decodeRequest } from "../../request/mod.ts";

/** Ways to go through the steps of an image. */
const WAYS = ["bare calls", "resident", "recorded", "read back"] as const;
type Way = typeof WAYS[number];

export interface LoopOptions {
  /** Pixels of an image's side; undefined for the model's own. */
  readonly side: number | undefined;
  /** Of each image. */
  readonly steps: number;
  /** Milliseconds for all rounds together; a few are run in any case. */
  readonly budgetMs: number;
}

interface LoopSize {
  readonly side: number;
  readonly steps: number;
}

const FEWEST_ROUNDS = 3;
const MAX_ROUNDS = 21;

/** A call of the UNet as the resident loop makes it. */
interface UnetCall {
  readonly feeds: Readonly<Record<string, Tensor | GpuTensor>>;
  readonly outputs: Readonly<Record<string, GpuTensor>>;
  run(feeds: UnetCall["feeds"], outputs: UnetCall["outputs"]): Promise<void>;
}

/** Whether a bench's `--filter` leaves a model's loop in. */
export function wantsLoops({ filter = "" }: Pick<BenchOptions, "filter">): boolean {
  return filter === "" || filter.startsWith("loop");
}

/** The smallest image is work enough for a software adapter. */
const SMALL_SIDE = 64;
/** Of a bench's time, for the loops. */
const PART = 0.2;

/** A host's report with the rows of a model's loop, or with why there are none. */
export async function withLoops(
  report: HostReport,
  files: ModelFiles,
  runtime: Runtime,
  { quick, seconds }: BenchOptions,
): Promise<HostReport> {
  const started = performance.now();
  const software = report.adapterClass !== "hardware";
  const options = {
    side: quick || software ? SMALL_SIDE : undefined,
    steps: quick ? 2 : software ? 4 : 10,
    budgetMs: 1000 * PART * seconds,
  };
  const extended = { rows: [...report.rows], problems: [...report.problems] };
  try {
    extended.rows.push(...await benchLoops(files, runtime, options));
  } catch (error) {
    extended.problems.push(`loop of ${files.name}: ${reason(error)}`);
  }
  return { ...report, ...extended, seconds: report.seconds + (performance.now() - started) / 1000 };
}

/**
 * Measures a step of a model, in rounds of all four:
 * - bare calls: as many network calls from and into the same buffers, and one fence;
 * - resident: the denoising loop, all on the device;
 * - recorded: the same with every state and prediction read for a transcript;
 * - read back: the same network, with tensors in memory and the step on the CPU.
 * @returns a row each, with a step's milliseconds of each round.
 */
export async function benchLoops(
  files: ModelFiles,
  runtime: Runtime,
  options: LoopOptions,
): Promise<BenchRow[]> {
  const { gpu } = runtime;
  if (!gpu) {
    throw new AppError("host_unavailable", `Cannot bench the loop: ${runtime.name} is no GPU`);
  }
  let call: UnetCall | undefined;
  await using resident = await Pipeline.open(files, watchUnet(runtime, (seen) => call = seen));
  await using readBack = await Pipeline.open(files, { ...runtime, gpu: undefined });
  const { steps } = options;
  const size = { side: options.side ?? resident.defaults.width, steps };
  const ways: Readonly<Record<Way, () => Promise<number>>> = {
    "bare calls": () => bareMs(gpu.device, call, steps),
    resident: () => stepMs(resident, size),
    recorded: () => stepMs(resident, size, { onLeaf: () => {} }),
    "read back": () => stepMs(readBack, size),
  };
  await ways.resident();
  await stepMs(readBack, { ...size, steps: 1 });
  const samples = await rounds(ways, options.budgetMs);
  return WAYS.map((way) => rowOf(files.name, way, size, samples[way]));
}

async function rounds(
  ways: Readonly<Record<Way, () => Promise<number>>>,
  budgetMs: number,
): Promise<Readonly<Record<Way, readonly number[]>>> {
  const samples: Record<Way, number[]> = {
    ...{ "bare calls": [], resident: [], recorded: [], "read back": [] },
  };
  const started = performance.now();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (performance.now() - started > budgetMs && round >= FEWEST_ROUNDS) break;
    // Each round begins with another, so that none is always the first or after the same one.
    const turn = round % WAYS.length;
    for (const name of [...WAYS.slice(turn), ...WAYS.slice(0, turn)]) {
      samples[name].push(await ways[name]());
    }
  }
  return samples;
}

function rowOf(
  model: string,
  way: Way,
  { side, steps }: LoopSize,
  wallMs: readonly number[],
): BenchRow {
  return {
    case: `loop of ${model}`,
    size: { side, batch: 1 },
    elements: side * side / 16,
    contender: way,
    kind: way === "bare calls" ? "network" : "loop",
    chosen: way === "resident",
    repeats: steps,
    wallMs: [...wallMs],
  };
}

/** Milliseconds of a step of an image: without text, decoding and encoding. */
async function stepMs(
  engine: Pipeline,
  { side, steps }: LoopSize,
  options: GenerateOptions = {},
): Promise<number> {
  const request = decodeRequest(
    { prompt: "a golden tau symbol", width: side, height: side, steps },
    { ...engine.defaults, seed: 7n },
  );
  const { timings } = await engine.generate(request, options);
  return (timings.networkMs.reduce((sum, ms) => sum + ms, 0) + timings.solverMs) / steps;
}

/** The loop has given its buffers back by now, so the calls get some of their own. */
async function bareMs(
  device: GPUDevice,
  call: UnetCall | undefined,
  steps: number,
): Promise<number> {
  if (!call) throw new AppError("inference_failed", "Cannot bench the loop: no UNet was called");
  using stack = new DisposableStack();
  const own = <T extends Tensor | GpuTensor>(tensor: T): T =>
    "buffer" in tensor ? { ...tensor, buffer: ownBuffer(device, tensor, stack) } : tensor;
  const feeds = mapValues(call.feeds, own);
  const outputs = mapValues(call.outputs, own);
  await device.queue.onSubmittedWorkDone();
  const started = performance.now();
  for (let k = 0; k < steps; k++) await call.run(feeds, outputs);
  await device.queue.onSubmittedWorkDone();
  return (performance.now() - started) / steps;
}

function ownBuffer(device: GPUDevice, tensor: GpuTensor, stack: DisposableStack): GPUBuffer {
  const size = Math.ceil(tensorBytes(tensor) / 256) * 256;
  return stack.adopt(
    device.createBuffer({ label: "bare call", size, usage: STORAGE_USAGE }),
    (buffer) => buffer.destroy(),
  );
}

/** The runtime, reporting each call of the UNet on the device. */
function watchUnet(runtime: Runtime, onCall: (call: UnetCall) => void): Runtime {
  return {
    ...runtime,
    open: async (files, graph) => {
      const session = await runtime.open(files, graph);
      if (!graph.graph.startsWith("unet/")) return session;
      const run: UnetCall["run"] = (feeds, outputs) => session.runInto(feeds, outputs);
      return {
        inputs: session.inputs,
        outputs: session.outputs,
        run: (feeds, fetches) => session.run(feeds, fetches),
        runInto: async (feeds, outputs) => {
          await run(feeds, outputs);
          onCall({ feeds, outputs, run });
        },
        release: () => session.release(),
      };
    },
  };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
