import { AppError } from "../error.ts";
import type { Gpu } from "../gpu/mod.ts";
import { type GpuTensor, type Place, type Residuals, tensorBytes } from "../inference/mod.ts";
import type { Control, GroupControl, RunControl } from "./control.ts";

/** One step of a group of images on the device. */
interface DeviceCall {
  readonly sample: GpuTensor;
  readonly timestep: number;
  readonly index: number;
  readonly steps: number;
}

type DeviceControl = Control & { readonly constant: Readonly<Record<string, GpuTensor>> };

/** The ControlNets of one group of images, with what they make in buffers on the device. */
export interface ResidentControl {
  /** Runs them, and gives the UNet's inputs; without waiting for the device. */
  readonly run: (call: DeviceCall) => Promise<Readonly<Record<string, GpuTensor>>>;
}

/**
 * @param groups the ControlNets, with inputs in memory: their residuals' shapes are found out with these.
 * @param constants the same inputs on the device.
 */
export async function residentControl(
  gpu: Gpu,
  { unet, sum }: RunControl,
  groups: readonly GroupControl[],
  constants: readonly Readonly<Record<string, GpuTensor>>[],
  dims: readonly number[],
  stack: DisposableStack,
): Promise<ResidentControl> {
  const [{ control: { net }, constant }] = groups;
  const shapes = await net.shapes(dims, constant);
  requireOneType(unet.types.sample, groups);
  const take = () => takeResiduals(gpu, shapes, net.type, stack);
  const own = take();
  // Several are added up two by two: what another makes, and the sum.
  const several = groups.length > 1
    ? { other: take(), total: take(), adder: await sum() }
    : undefined;
  const controls = groups.map(({ control }, k): DeviceControl => ({
    ...control,
    constant: constants[k],
  }));
  const named = (residuals: Residuals<GpuTensor>) =>
    Object.fromEntries(
      [...unet.residuals].flatMap(([place, name]) => {
        const tensor = residuals.get(place);
        return tensor ? [[name, tensor]] : [];
      }),
    );
  return {
    run: async ({ sample, timestep, index, steps }) => {
      const [first, ...rest] = controls.filter(({ scaleAt }) => scaleAt(index, steps) !== 0);
      let result = own;
      if (!first) clear(gpu, result);
      else {
        await first.net.runInto(sample, timestep, first.constant, first.scaleAt(index, steps), own);
      }
      for (const { net, scaleAt, constant } of rest) {
        if (!several) break;
        const { other, total, adder } = several;
        await net.runInto(sample, timestep, constant, scaleAt(index, steps), other);
        const both = { ...numbered("a", result), ...numbered("b", other) };
        const free = result === own ? total : own;
        await adder.runInto(both, numbered("sum", free));
        result = free;
      }
      return named(result);
    },
  };
}

function takeResiduals(
  gpu: Gpu,
  shapes: ReadonlyMap<Place, readonly number[]>,
  type: GpuTensor["type"],
  stack: DisposableStack,
): Residuals<GpuTensor> {
  return new Map([...shapes].map(([place, dims]) => {
    const bytes = tensorBytes({ type, dims });
    const { buffer } = stack.use(gpu.buffers.take(bytes, `residual ${place}`));
    return [place, { type, dims, buffer }];
  }));
}

/** ControlNets that are all off at a step add nothing. */
function clear(gpu: Gpu, residuals: Residuals<GpuTensor>): void {
  const encoder = gpu.device.createCommandEncoder({ label: "no control" });
  for (const { buffer } of residuals.values()) encoder.clearBuffer(buffer);
  gpu.device.queue.submit([encoder.finish()]);
}

function numbered(side: string, residuals: Residuals<GpuTensor>): Record<string, GpuTensor> {
  return Object.fromEntries([...residuals.values()].map((tensor, i) => [`${side}.${i}`, tensor]));
}

/** On the device nothing is converted between networks. */
function requireOneType(type: GpuTensor["type"], groups: readonly GroupControl[]): void {
  const odd = groups.find(({ control: { net } }) => net.type !== type);
  if (!odd) return;
  const { net } = odd.control;
  throw new AppError(
    "model_invalid",
    `Cannot use the ControlNet ${net.path} on the GPU: it computes in ${net.type}, and the UNet in ` +
      `${type}; take weights of the same precision, or compute on the CPU`,
  );
}
