import type { Variable } from "../onnx/mod.ts";
import type { Network } from "./network.ts";

/** Flux' tokens are squares of so many of a latent's elements a side. */
export const PATCH = 2;

/** A latent as tokens: diffusers' `_pack_latents`. */
export interface Packed {
  /** [batch, rows * columns, channels * 4] */
  readonly tokens: Variable;
  /** int64[2]: rows and columns of tokens. */
  readonly grid: Variable;
}

/** @param latent [batch, channels, height, width], both sides even. */
export function packed(net: Network, latent: Variable, channels: number): Packed {
  const { g } = net;
  const width = channels * PATCH ** 2;
  const size = g.op("Shape", [latent], { attributes: { start: 2, end: 4 } });
  const patch = g.constant("int64", [PATCH]);
  const grid = g.op("Div", [size, patch]);
  const [rows, columns] = net.chunk(grid, 2, 0);
  const split = net.concat([g.constant("int64", [0, 0]), rows, patch, columns, patch], 0);
  const squares = net.transpose(g.op("Reshape", [latent, split]), [0, 2, 4, 1, 3, 5]);
  const tokens = net.reshape(net.reshape(squares, [0, 0, 0, width]), [0, -1, width]);
  return { tokens, grid };
}

/** The other way: diffusers' `_unpack_latents`. @returns [batch, channels, height, width] */
export function unpacked(net: Network, { tokens, grid }: Packed, channels: number): Variable {
  const { g } = net;
  const inner = g.constant("int64", [channels, PATCH, PATCH]);
  const split = net.concat([g.constant("int64", [0]), grid, inner], 0);
  const squares = net.transpose(g.op("Reshape", [tokens, split]), [0, 3, 1, 4, 2, 5]);
  const size = net.mul(grid, g.constant("int64", [PATCH]));
  const shape = net.concat([g.constant("int64", [0, channels]), size], 0);
  return g.op("Reshape", [squares, shape]);
}

/**
 * Places of a picture's tokens: 0, row, column. @returns float32[rows * columns, 3]
 */
export function gridPlaces(net: Network, grid: Variable): Variable {
  const { g } = net;
  const [rows, columns] = net.chunk(grid, 2, 0).map((count) => counting(net, count));
  const zeros = g.op("ConstantOfShape", [grid]);
  const down = net.add(net.unsqueeze(rows, [1]), zeros);
  const across = net.add(net.unsqueeze(columns, [0]), zeros);
  const places = net.concat([zeros, down, across].map((axis) => net.unsqueeze(axis, [2])), 2);
  return net.reshape(places, [-1, 3]);
}

/** float32[count]: 0, 1, 2, ... */
function counting(net: Network, count: Variable): Variable {
  const { g } = net;
  const whole = (value: number) => g.constant("int64", [value], []);
  return g.cast(g.op("Range", [whole(0), g.op("Squeeze", [count]), whole(1)]), "float32");
}

/** All 0. @param text [batch, tokens, width] @returns float32[tokens, axes] */
export function noPlaces(net: Network, text: Variable, axes: number): Variable {
  const { g } = net;
  const tokens = g.op("Shape", [text], { attributes: { start: 1, end: 2 } });
  const shape = net.concat([tokens, g.constant("int64", [axes])], 0);
  return g.op("ConstantOfShape", [shape]);
}
