import type { Variable } from "../onnx/mod.ts";
import type { Network } from "./network.ts";

/** What the tokens of a level attend to, and how. */
export interface TransformerConfig {
  /** Text: [batch, tokens, contextWidth]. */
  readonly context: Variable;
  readonly contextWidth: number;
  readonly heads: number;
  readonly depth: number;
  readonly groups: number;
  readonly linearProjection: boolean;
  /** The first attention reads the text too. */
  readonly onlyCrossAttention: boolean;
}

/** Eps of the blocks' own GroupNorm, whatever the network's is. */
const NORM_EPS = 1e-6;
const LAYER_NORM_EPS = 1e-5;

/** diffusers' Transformer2DModel over the pixels of x. @param x [batch, channels, h, w] */
export function transformer2d(
  net: Network,
  x: Variable,
  name: string,
  channels: number,
  config: TransformerConfig,
): Variable {
  const { linearProjection: linear, heads, depth } = config;
  const width = innerWidth(channels, heads);
  const one = { kernel: 1 };
  let h = net.groupNorm(x, `${name}.norm`, channels, config.groups, NORM_EPS);
  if (!linear) h = net.conv(h, `${name}.proj_in`, channels, width, one);
  const pixels = net.g.op("Transpose", [h], { attributes: { perm: [0, 2, 3, 1] } });
  const side = linear ? channels : width;
  let tokens = net.g.op("Reshape", [pixels, net.g.constant("int64", [0, -1, side])]);
  if (linear) tokens = net.linear(tokens, `${name}.proj_in`, channels, width);
  for (let i = 0; i < depth; i++) {
    tokens = block(net, tokens, `${name}.transformer_blocks.${i}`, width, config);
  }
  if (linear) tokens = net.linear(tokens, `${name}.proj_out`, width, channels);
  h = net.g.op("Reshape", [tokens, net.g.op("Shape", [pixels])]);
  h = net.g.op("Transpose", [h], { attributes: { perm: [0, 3, 1, 2] } });
  if (!linear) h = net.conv(h, `${name}.proj_out`, width, channels, one);
  return net.add(h, x);
}

/** Heads of one width each, as many channels as they have room for. */
function innerWidth(channels: number, heads: number): number {
  return heads * Math.floor(channels / heads);
}

/** diffusers' BasicTransformerBlock. @param x [batch, tokens, width] */
function block(
  net: Network,
  x: Variable,
  name: string,
  width: number,
  { context, contextWidth, heads, onlyCrossAttention }: TransformerConfig,
): Variable {
  const norm = (h: Variable, i: number) =>
    net.layerNorm(h, `${name}.norm${i}`, width, LAYER_NORM_EPS);
  const text = { x: context, width: contextWidth };
  const normed = norm(x, 1);
  const first = onlyCrossAttention ? text : { x: normed, width };
  let h = net.add(x, attention(net, normed, `${name}.attn1`, width, heads, first));
  h = net.add(h, attention(net, norm(h, 2), `${name}.attn2`, width, heads, text));
  return net.add(h, geglu(net, norm(h, 3), `${name}.ff`, width));
}

function attention(
  net: Network,
  x: Variable,
  name: string,
  width: number,
  heads: number,
  context: { readonly x: Variable; readonly width: number },
): Variable {
  const h = net.attention([
    net.linear(x, `${name}.to_q`, width, width, false),
    net.linear(context.x, `${name}.to_k`, context.width, width, false),
    net.linear(context.x, `${name}.to_v`, context.width, width, false),
  ], heads);
  return net.linear(h, `${name}.to_out.0`, width, width);
}

function geglu(net: Network, x: Variable, name: string, width: number): Variable {
  const both = net.linear(x, `${name}.net.0.proj`, width, 8 * width);
  const [h, gate] = net.chunk(both, 2, 2);
  return net.linear(net.mul(h, net.g.op("Gelu", [gate])), `${name}.net.2`, 4 * width, width);
}
