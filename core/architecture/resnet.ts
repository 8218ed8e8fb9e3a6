import type { Variable } from "../onnx/mod.ts";
import { activation, type ActivationName } from "./activation.ts";
import type { Network } from "./network.ts";

export interface ResnetConfig {
  readonly act_fn: ActivationName;
  readonly norm_num_groups: number;
  readonly norm_eps: number;
  readonly resnet_time_scale_shift: "default" | "scale_shift";
}

export interface TimeEmbedding {
  /** [batch or 1, width], after its activation. */
  readonly x: Variable;
  readonly width: number;
}

export interface Channels {
  readonly from: number;
  readonly to: number;
}

/**
 * diffusers' ResnetBlock2D. @param x [batch, from, h, w] @returns [batch, to, h, w]
 * @param time left out in a VAE. @param scale that the sum is divided by.
 */
export function resnet(
  net: Network,
  config: ResnetConfig,
  x: Variable,
  name: string,
  { from, to }: Channels,
  { time, scale = 1 }: { readonly time?: TimeEmbedding; readonly scale?: number } = {},
): Variable {
  const { act_fn: act, norm_num_groups: groups, norm_eps: eps } = config;
  let h = activation(net, act, net.groupNorm(x, `${name}.norm1`, from, groups, eps));
  h = net.conv(h, `${name}.conv1`, from, to);
  h = normWithTime(net, config, h, name, to, time);
  h = net.conv(activation(net, act, h), `${name}.conv2`, to, to);
  const shortcut = from === to ? x : net.conv(x, `${name}.conv_shortcut`, from, to, { kernel: 1 });
  return net.scale(net.add(shortcut, h), 1 / scale);
}

function normWithTime(
  net: Network,
  config: ResnetConfig,
  h: Variable,
  name: string,
  channels: number,
  time: TimeEmbedding | undefined,
): Variable {
  const norm = (x: Variable) =>
    net.groupNorm(x, `${name}.norm2`, channels, config.norm_num_groups, config.norm_eps);
  if (!time) return norm(h);
  const project = (to: number) =>
    net.unsqueeze(net.linear(time.x, `${name}.time_emb_proj`, time.width, to), [2, 3]);
  if (config.resnet_time_scale_shift === "default") return norm(net.add(h, project(channels)));
  const [scale, shift] = net.chunk(project(2 * channels), 2, 1);
  const one = net.numbers([1], []);
  return net.add(net.mul(norm(h), net.add(scale, one)), shift);
}

/** diffusers' Downsample2D with a convolution. */
export function downsample(
  net: Network,
  x: Variable,
  name: string,
  channels: number,
  padding: number,
): Variable {
  // Without padding of its own the block pads below and to the right.
  const sides = padding === 0 ? [0, 0, 1, 1] as const : padding;
  return net.conv(x, `${name}.conv`, channels, channels, { stride: 2, padding: sides });
}

/** diffusers' Upsample2D with a convolution: twice the size, or that of another tensor. */
export function upsample(
  net: Network,
  x: Variable,
  name: string,
  channels: number,
  sizeOf?: Variable,
): Variable {
  const target = sizeOf
    ? [x, undefined, undefined, sizeLike(net, x, sizeOf)]
    : [x, undefined, net.g.constant("float32", [1, 1, 2, 2])];
  const large = net.g.op("Resize", target, { attributes: NEAREST });
  return net.conv(large, `${name}.conv`, channels, channels);
}

/** As torch's nearest interpolation chooses its source. */
const NEAREST = {
  mode: "nearest",
  coordinate_transformation_mode: "asymmetric",
  nearest_mode: "floor",
};

/** Batch and channels of one tensor, height and width of the other. */
function sizeLike({ g }: Network, x: Variable, other: Variable): Variable {
  const own = g.op("Shape", [x], { attributes: { start: 0, end: 2 } });
  const size = g.op("Shape", [other], { attributes: { start: 2, end: 4 } });
  return g.op("Concat", [own, size], { attributes: { axis: 0 } });
}
