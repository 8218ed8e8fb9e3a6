import { AppError } from "../../core/error.ts";
import { decodeRequest, type GenerateOptions, Pipeline } from "../../core/generation/mod.ts";
import {
  type GpuTensor,
  type ModelFiles,
  type Runtime,
  type Tensor,
  tensorBytes,
} from "../../core/inference/mod.ts";

/** Ways to go through the steps of an image. */
export const LOOPS = ["bare calls", "resident", "recorded", "read back"] as const;
export type LoopName = typeof LOOPS[number];

export interface LoopOptions {
  /** Pixels of a side. */
  readonly size: number;
  readonly steps: number;
  readonly rounds: number;
}

/** Seconds of all steps of an image, a sample a round. */
export type LoopSamples = Readonly<Record<LoopName, readonly number[]>>;

/** A call of the UNet as the resident loop makes it. */
interface UnetCall {
  readonly feeds: Readonly<Record<string, Tensor | GpuTensor>>;
  readonly outputs: Readonly<Record<string, GpuTensor>>;
  run(feeds: UnetCall["feeds"], outputs: UnetCall["outputs"]): Promise<void>;
}

/**
 * Measures, in rounds of all four:
 * - bare calls: as many network calls from and into the same buffers, and one fence;
 * - resident: the denoising loop, all on the device;
 * - recorded: the same with every state and prediction read for a transcript;
 * - read back: the same network, with tensors in memory and the step on the CPU.
 */
export async function measureLoops(
  files: ModelFiles,
  runtime: Runtime,
  options: LoopOptions,
  onRound: (round: number) => void,
): Promise<LoopSamples> {
  const { gpu } = runtime;
  if (!gpu) {
    throw new AppError("host_unavailable", `Cannot bench the loop: ${runtime.name} is no GPU`);
  }
  let call: UnetCall | undefined;
  await using resident = await Pipeline.open(files, watchUnet(runtime, (seen) => call = seen));
  await using readBack = await Pipeline.open(files, { ...runtime, gpu: undefined });
  const ways: Readonly<Record<LoopName, () => Promise<number>>> = {
    "bare calls": () => bareSeconds(gpu.device, call, options.steps),
    resident: () => secondsOf(resident, options),
    recorded: () => secondsOf(resident, options, { onLeaf: () => {} }),
    "read back": () => secondsOf(readBack, options),
  };
  await ways.resident();
  await secondsOf(readBack, { ...options, steps: 1 });
  const samples: Record<LoopName, number[]> = {
    "bare calls": [],
    resident: [],
    recorded: [],
    "read back": [],
  };
  for (let round = 0; round < options.rounds; round++) {
    onRound(round);
    // Each round begins with another, so that none is always the first or after the same one.
    const turn = round % LOOPS.length;
    for (const name of [...LOOPS.slice(turn), ...LOOPS.slice(0, turn)]) {
      samples[name].push(await ways[name]());
    }
  }
  return samples;
}

/** Seconds of an image's steps: without text, decoding and encoding. */
async function secondsOf(
  engine: Pipeline,
  { size, steps }: LoopOptions,
  options: GenerateOptions = {},
): Promise<number> {
  const request = decodeRequest(
    { prompt: "a golden tau symbol", width: size, height: size, steps },
    { ...engine.defaults, seed: 7n },
  );
  const { timings } = await engine.generate(request, options);
  return (timings.networkMs.reduce((sum, ms) => sum + ms, 0) + timings.solverMs) / 1000;
}

/** The loop has given its buffers back by now, so the calls get some of their own. */
async function bareSeconds(
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
  return (performance.now() - started) / 1000;
}

function ownBuffer(device: GPUDevice, tensor: GpuTensor, stack: DisposableStack): GPUBuffer {
  const size = Math.ceil(tensorBytes(tensor) / 256) * 256;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return stack.adopt(
    device.createBuffer({ label: "bare call", size, usage }),
    (buffer) => buffer.destroy(),
  );
}

/** The runtime, telling of each call of the UNet on the device. */
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
