import type { Variable } from "../onnx/mod.ts";
import { activation, type ActivationName } from "./activation.ts";
import type { Network } from "./network.ts";
import { sineAndCosine } from "./sine_and_cosine.ts";

export interface SinusoidConfig {
  readonly flip_sin_to_cos: boolean;
  readonly freq_shift: number;
}

/**
 * diffusers' Timesteps: sines and cosines of a number at falling frequencies.
 * @param x float32[..., 1] @returns [..., width]
 */
export function sinusoid(
  net: Network,
  x: Variable,
  width: number,
  { flip_sin_to_cos: flip, freq_shift: shift }: SinusoidConfig,
): Variable {
  if (width % 2 !== 0) net.refuse(`an embedding of sines and cosines has ${width} elements`);
  const half = width / 2;
  // In float32 at each place where torch rounds: sines of hundreds of radians show the difference.
  const frequencies = Array.from({ length: half }, (_, i) => {
    const exponent = Math.fround(Math.fround(-Math.log(10_000)) * i);
    return Math.fround(Math.exp(Math.fround(exponent / (half - shift))));
  });
  const angles = net.mul(x, net.g.constant("float32", frequencies));
  const { sine, cosine } = sineAndCosine(net, angles);
  return net.fromFloat32(net.concat(flip ? [cosine, sine] : [sine, cosine], -1));
}

export interface TimestepEmbeddingWidths {
  readonly from: number;
  readonly to: number;
}

/** diffusers' TimestepEmbedding: two linear layers. @param x [batch, from] @returns [batch, to] */
export function timestepEmbedding(
  net: Network,
  x: Variable,
  name: string,
  { from, to }: TimestepEmbeddingWidths,
  act: ActivationName,
): Variable {
  const hidden = activation(net, act, net.linear(x, `${name}.linear_1`, from, to));
  return net.linear(hidden, `${name}.linear_2`, to, to);
}
