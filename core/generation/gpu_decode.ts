import { toRgbaFloat16, toRgbaFloat32 } from "../../shaders/mod.ts";
import {
  bindKernel,
  compileKernel,
  encodeDispatches,
  type Gpu,
  type GpuNeeds,
  packStructs,
} from "../gpu/mod.ts";
import { type Model, tensorBytes, type VaeDecoder } from "../inference/mod.ts";
import type { RgbaImage } from "../image/mod.ts";

/**
 * Decodes a latent on a GPU: the image becomes pixels there, so that four bytes a pixel come back
 * and not twelve.
 * @param latent f32[channels, height / 8, width / 8]
 * @throws AppError `inference_failed` when the decoder overflows.
 */
export async function decodeOnGpu(
  gpu: Gpu,
  decoder: VaeDecoder,
  latent: Float32Array,
  dims: readonly number[],
  { width, height }: Pick<RgbaImage, "width" | "height">,
): Promise<RgbaImage> {
  const pixels = width * height;
  const type = decoder.outputType;
  const shape = { type, dims: [1, 3, height, width] };
  using stack = new DisposableStack();
  const take = (bytes: number, label: string) => stack.use(gpu.buffers.take(bytes, label));
  const [planes, rgba, strange] = await gpu.guarded("make room for the image", () => [
    take(tensorBytes(shape), "decoded planes"),
    take(4 * pixels, "pixels"),
    take(4, "values that are not finite"),
  ]);
  await decoder.decodeInto(latent, dims, { ...shape, buffer: planes.buffer });
  const kernel = type === "float16" ? toRgbaFloat16 : toRgbaFloat32;
  const compiled = await compileKernel(gpu, kernel);
  const parameters = stack.use(
    gpu.buffers.take(16, "to_rgba parameters", UNIFORM_USAGE),
  );
  const [colours, counts] = await gpu.guarded("turn planes into pixels", () => {
    const { device, staging } = gpu;
    device.queue.writeBuffer(parameters.buffer, 0, packStructs(kernel.parameters, [{ pixels }]));
    device.queue.writeBuffer(strange.buffer, 0, new Uint32Array(1));
    const resources = [parameters, planes, rgba, strange].map(({ buffer }) => buffer);
    const encoder = device.createCommandEncoder({ label: "to_rgba" });
    encodeDispatches(encoder, [
      bindKernel(gpu, compiled, resources, { items: pixels, images: 1 }),
    ]);
    const reads = [
      staging.copy(encoder, rgba.buffer, 4 * pixels),
      staging.copy(encoder, strange.buffer, 4),
    ];
    device.queue.submit([encoder.finish()]);
    return reads;
  }, (reads) => reads.forEach((read) => read[Symbol.dispose]()));
  const [data, odd] = await Promise.all([colours.read(), counts.read()]);
  if (new Uint32Array(odd.buffer)[0] > 0) throw decoder.overflow();
  return { width, height, data: new Uint8ClampedArray(data.buffer) };
}

/** Of the VAE that every SD and SDXL model has. */
const SD_CHANNELS = [128, 256, 512, 512];

/** What decoding asks of a device: the largest tensors of an image are the decoder's. */
export function decodingNeeds(
  { files, config, vaeDecoder: { outputType: type } }: Model,
  { width, height }: Pick<RgbaImage, "width" | "height">,
): GpuNeeds {
  // The decoder's last block starts at the image's size, with the channels of the one before it.
  const { block_out_channels: channels = SD_CHANNELS } = config.vae;
  const beforeLast = channels.at(1) ?? channels[0];
  return {
    work: `${files.name} at ${width}x${height}`,
    limits: {
      maxBufferSize: tensorBytes({ type, dims: [beforeLast, height, width] }),
      maxStorageBufferBindingSize: tensorBytes({ type, dims: [3, height, width] }),
    },
    advice: "Ask for a smaller image, or compute on the CPU",
  };
}

const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST
