import { AppError, throwIfAborted } from "../error.ts";
import type { Gpu } from "../gpu/mod.ts";
import { type NetworkType, prepareSteps, type StepRun } from "./step_run.ts";
import {
  type GpuTensor,
  type Model,
  type Tensor,
  tensorBytes,
  type Unet,
} from "../inference/mod.ts";
import { type ResidentControl, residentControl } from "./gpu_control.ts";
import { GpuRecorder } from "./gpu_recorder.ts";
import { groupImages, type ImageGroup } from "./image_groups.ts";
import type { LoopEvents, LoopInput, LoopResult } from "./loop_input.ts";

/** A group of images on the device: its steps, and the network's tensors that they read and write. */
interface ResidentGroup {
  readonly steps: StepRun;
  readonly sample: GpuTensor;
  readonly output: GpuTensor;
  readonly constant: Readonly<Record<string, GpuTensor>>;
  readonly control: ResidentControl | undefined;
}

/**
 * The denoising loop on a GPU: one dispatch (two where guidance is rescaled) and one network call a
 * step for each group of images, everything between them in buffers on the device. What is recorded
 * is copied aside and read while the loop continues, so recording adds no wait. The same steps as
 * `denoiseOnCpu`.
 *
 * The device works behind the loop: a step's `networkMs` is how long handing it over took, and the
 * last one's also waits for the device to be done.
 */
export async function denoiseOnGpu(
  gpu: Gpu,
  model: Model,
  input: LoopInput,
  events: LoopEvents,
): Promise<LoopResult> {
  const started = events.clock();
  using stack = new DisposableStack();
  const groups: ResidentGroup[] = [];
  for (const group of groupImages(model, input)) {
    groups.push(await prepareGroup(gpu, model, input, group, stack));
  }
  const { latents, networkMs } = await runSteps(gpu, model, input, groups, events);
  const network = networkMs.reduce((sum, ms) => sum + ms, 0);
  return { latents, networkMs, solverMs: events.clock() - started - network };
}

async function prepareGroup(
  gpu: Gpu,
  model: Model,
  { plan, dims, seeds, guidanceScale, guidanceRescale, source, control }: LoopInput,
  { first, images, guided, rows, constant, controls }: ImageGroup,
  stack: DisposableStack,
): Promise<ResidentGroup> {
  const type = networkType(control?.unet ?? model.unet, model.files.name);
  const steps = stack.use(
    await prepareSteps(gpu, {
      plan,
      n: dims.reduce((product, side) => product * side, 1),
      seeds: seeds.slice(first, first + images),
      guidanceScale: guided ? guidanceScale : undefined,
      guidanceRescale,
      source,
      dataType: type,
    }),
  );
  const shape = [rows, ...dims];
  const uploaded = await gpu.guarded(
    "upload the conditioning",
    () =>
      [constant, ...controls.map((each) => each.constant)].map((inputs) =>
        Object.fromEntries(
          Object.entries(inputs).map(([name, tensor]) => [name, upload(gpu, tensor, stack)]),
        )
      ),
  );
  return {
    steps,
    sample: { type, dims: shape, buffer: steps.networkInput.buffer },
    output: { type, dims: shape, buffer: steps.networkOutput.buffer },
    constant: uploaded[0],
    control: control &&
      await residentControl(gpu, control, controls, uploaded.slice(1), shape, stack),
  };
}

function upload(gpu: Gpu, { type, dims, data }: Tensor, stack: DisposableStack): GpuTensor {
  const { buffer } = stack.use(gpu.buffers.take(tensorBytes({ type, dims }), "conditioning"));
  gpu.device.queue.writeBuffer(buffer, 0, data.slice());
  return { type, dims, buffer };
}

/** @throws AppError `model_invalid` when the network takes one float type and gives another. */
function networkType({ types: { sample, output } }: Unet, name: string): NetworkType {
  if (sample === output && (sample === "float32" || sample === "float16")) return sample;
  throw new AppError(
    "model_invalid",
    `Cannot run the UNet of ${name} on the GPU: its sample is ${sample}, its output ${output}`,
  );
}

async function runSteps(
  gpu: Gpu,
  model: Model,
  { plan, dims, control: run }: LoopInput,
  groups: readonly ResidentGroup[],
  events: LoopEvents,
): Promise<Pick<LoopResult, "latents" | "networkMs">> {
  const recorder = new GpuRecorder(gpu, groups.map(({ steps }) => steps), dims, events);
  const networkMs: number[] = [];
  await recorder.submit(0, events.onLeaf ? ["x"] : []);
  for (const [i, { timestep }] of plan.rows.entries()) {
    throwIfAborted(events.signal, "generate");
    const before = events.clock();
    for (const { sample, output, constant, control } of groups) {
      const steps = plan.rows.length;
      const more = await control?.run({ sample, timestep, index: i, steps });
      const inputs = { ...constant, ...more };
      await (run?.unet ?? model.unet).predictInto(sample, timestep, inputs, output);
    }
    networkMs.push(events.clock() - before);
    await recorder.submit(i + 1, wantedLeaves(events, i === plan.rows.length - 1));
  }
  const before = events.clock();
  const latents = await recorder.end();
  networkMs[networkMs.length - 1] += events.clock() - before;
  return { latents, networkMs };
}

/** The last state is always read; the others where a callback wants them. */
function wantedLeaves({ onLeaf, onStep }: LoopEvents, last: boolean): ("x" | "d")[] {
  return [...(onLeaf || onStep ? ["d"] as const : []), ...(onLeaf || last ? ["x"] as const : [])];
}
