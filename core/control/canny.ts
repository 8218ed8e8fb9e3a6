import { cannyGradient, cannySuppress, cannyTrace, gaussianBlur } from "../../shaders/mod.ts";
import type { CannyOptions, RgbaPixels } from "./canny_reference.ts";
import {
  bindKernel,
  type CompiledKernel,
  compileKernel,
  type Dispatch,
  encodeDispatches,
  type Gpu,
  packStructs,
} from "../gpu/mod.ts";

/** Dispatches of the hysteresis between two checks for changes. */
const TRACES = 8;

const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST

/**
 * cv2.Canny(image, low, high) of an 8-bit colour image on the GPU, bit for bit as `cannyReference`.
 * @returns u8[height, width]: 255 on edges, 0 elsewhere.
 * @throws AppError `gpu_failed`, `device_lost`.
 */
export async function cannyEdges(
  gpu: Gpu,
  image: RgbaPixels,
  options: CannyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const kernels = await Promise.all([
    compileKernel(gpu, cannyGradient),
    compileKernel(gpu, cannySuppress),
    compileKernel(gpu, cannyTrace),
    compileKernel(gpu, gaussianBlur, { RADIUS: Math.max(1, options.blurRadius ?? 0) }),
  ]);
  using stack = new DisposableStack();
  const work = await gpu.guarded("find edges", () => prepare(gpu, stack, kernels, image, options));
  await untilStill(gpu, work);
  const bytes = await readBack(gpu, [], work.marks, 4 * image.width * image.height);
  return Uint8Array.from(new Uint32Array(bytes.buffer), (mark) => mark === 2 ? 255 : 0);
}

interface Work {
  readonly first: readonly Dispatch[];
  /** One round of the hysteresis. */
  readonly again: Dispatch;
  readonly marks: GPUBuffer;
  readonly changed: GPUBuffer;
}

function prepare(
  gpu: Gpu,
  stack: DisposableStack,
  [gradient, suppress, trace, blur]: readonly CompiledKernel[],
  image: RgbaPixels,
  { low, high, blurRadius }: CannyOptions,
): Work {
  const { width, height } = image;
  const extent = { items: width * height, images: 1 };
  const take = (pixels: number, label: string, usage?: number) =>
    stack.use(gpu.buffers.take(4 * pixels, label, usage)).buffer;
  const [rgba, blurred, slopes, marks] = ["image", "blurred image", "gradient", "marks"]
    .map((label) => take(extent.items, `canny ${label}`));
  const changed = take(1, "canny changes");
  const sizes = take(4, "canny parameters", UNIFORM_USAGE);
  // Every kernel reads a part of the same struct from its start.
  const values = [{ width, height, low, high }];
  gpu.device.queue.writeBuffer(sizes, 0, packStructs(cannySuppress.parameters, values));
  gpu.device.queue.writeBuffer(rgba, 0, Uint8Array.from(image.data));
  const bind = (kernel: CompiledKernel, source: GPUBuffer, target: GPUBuffer) =>
    bindKernel(gpu, kernel, [sizes, source, target], extent);
  const first = [
    ...(blurRadius ? [bind(blur, rgba, blurred)] : []),
    bind(gradient, blurRadius ? blurred : rgba, slopes),
    bind(suppress, slopes, marks),
  ];
  return { first, again: bind(trace, marks, changed), marks, changed };
}

/** Every round but the last promotes a mark, so there are at most as many rounds as pixels. */
async function untilStill(gpu: Gpu, { first, again, changed }: Work): Promise<void> {
  const traces = new Array<Dispatch>(TRACES).fill(again);
  let dispatches: readonly Dispatch[] = [...first, ...traces];
  for (;;) {
    gpu.device.queue.writeBuffer(changed, 0, new Uint32Array(1));
    const bytes = await readBack(gpu, dispatches, changed, 4);
    if (new Uint32Array(bytes.buffer)[0] === 0) return;
    dispatches = traces;
  }
}

async function readBack(
  gpu: Gpu,
  dispatches: readonly Dispatch[],
  source: GPUBuffer,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = gpu.device.createCommandEncoder({ label: "canny" });
  if (dispatches.length) encodeDispatches(encoder, dispatches);
  const readback = gpu.staging.copy(encoder, source, bytes);
  gpu.device.queue.submit([encoder.finish()]);
  return await readback.read();
}
