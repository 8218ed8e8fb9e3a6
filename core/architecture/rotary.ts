import type { Variable } from "../onnx/mod.ts";
import type { Network } from "./network.ts";
import { sineAndCosine } from "./sine_and_cosine.ts";

/** Cosines and sines of the angle of every pair: [1, tokens, 1, pairs, 1]. */
export interface Rotation {
  readonly cos: Variable;
  readonly sin: Variable;
}

const THETA = 10_000;

/** diffusers' FluxPosEmbed. @param ids float32[tokens, axes] @param widths of a head that each axis turns. */
export function rotation(net: Network, ids: Variable, widths: readonly number[]): Rotation {
  const axes = widths.length === 1 ? [ids] : net.chunk(ids, widths.length, 1);
  const angles = axes.map((axis, i) => {
    const pairs = widths[i] / 2;
    const frequencies = Array.from({ length: pairs }, (_, k) => THETA ** (-2 * k / widths[i]));
    return net.mul(axis, net.g.constant("float32", frequencies));
  });
  const all = net.unsqueeze(net.concat(angles, 1), [0, 2, 4]);
  const { sine, cosine } = sineAndCosine(net, all);
  return { cos: net.fromFloat32(cosine), sin: net.fromFloat32(sine) };
}

/** Turns neighbours (x0, x1), (x2, x3), ... of every head. @param x [batch, tokens, heads * width] */
export function rotated(
  net: Network,
  x: Variable,
  heads: { readonly count: number; readonly width: number },
  { cos, sin }: Rotation,
): Variable {
  const pairs = net.reshape(x, [0, 0, heads.count, heads.width / 2, 2]);
  const [a, b] = net.chunk(pairs, 2, 4);
  const first = net.g.op("Sub", [net.mul(a, cos), net.mul(b, sin)]);
  const second = net.add(net.mul(b, cos), net.mul(a, sin));
  return net.reshape(net.concat([first, second], 4), [0, 0, heads.count * heads.width]);
}
