import type { Variable } from "../onnx/mod.ts";
import { activation } from "./activation.ts";
import { sinusoid, timestepEmbedding } from "./embeddings.ts";
import type { Network } from "./network.ts";

/** Of LayerNorm and RMSNorm in diffusers' transformers. */
const EPS = 1e-6;

const TIMESTEP_WIDTH = 256;
const SINUSOID = { flip_sin_to_cos: true, freq_shift: 0 };

/** A number's sines and cosines through two layers. @param x [batch] @returns [batch, width] */
export function numberEmbedding(net: Network, x: Variable, name: string, width: number): Variable {
  const waves = sinusoid(net, net.unsqueeze(x, [1]), TIMESTEP_WIDTH, SINUSOID);
  return timestepEmbedding(net, waves, name, { from: TIMESTEP_WIDTH, to: width }, "silu");
}

/**
 * Parts that a layer named `linear` makes of the condition, each [batch, 1, width].
 * @param condition [batch, width], after silu.
 */
export function modulations(
  net: Network,
  condition: Variable,
  name: string,
  width: number,
  parts: number,
): readonly Variable[] {
  const all = net.linear(condition, `${name}.linear`, width, parts * width);
  return net.chunk(net.unsqueeze(all, [1]), parts, 2);
}

/** LayerNorm(x) * (1 + scale) + shift. */
export function modulated(
  net: Network,
  x: Variable,
  width: number,
  shift: Variable,
  scale: Variable,
): Variable {
  const one = net.numbers([1], []);
  return net.add(net.mul(net.plainLayerNorm(x, width, EPS), net.add(scale, one)), shift);
}

/** diffusers' AdaLayerNormContinuous: the scale comes before the shift. */
export function continuousNorm(
  net: Network,
  x: Variable,
  condition: Variable,
  name: string,
  width: number,
): Variable {
  const [scale, shift] = modulations(net, condition, name, width, 2);
  return modulated(net, x, width, shift, scale);
}

/** Two layers four times as wide, with tanh's GELU. */
export function feedForward(net: Network, x: Variable, name: string, width: number): Variable {
  const h = activation(net, "gelu_new", net.linear(x, `${name}.net.0.proj`, width, 4 * width));
  return net.linear(h, `${name}.net.2`, 4 * width, width);
}

export interface Heads {
  readonly count: number;
  readonly width: number;
}

/** RMSNorm of every head. @param x [batch, tokens, heads * width] */
export function headNorm(net: Network, x: Variable, name: string, heads: Heads): Variable {
  const split = net.reshape(x, [0, 0, heads.count, heads.width]);
  return net.reshape(net.rmsNorm(split, name, heads.width, EPS), [0, 0, heads.count * heads.width]);
}

/** Text and picture, each in tokens: [batch, tokens, width]. */
export interface Streams {
  readonly x: Variable;
  readonly context: Variable;
}

/** The first tokens of a sequence, and the rest. @param first whose number of tokens is taken. */
export function splitTokens(
  { g }: Network,
  joined: Variable,
  first: Variable,
): readonly [Variable, Variable] {
  const length = g.op("Shape", [first], { attributes: { start: 1, end: 2 } });
  const [start, end, axis] = [[0], [Number.MAX_SAFE_INTEGER], [1]].map((list) =>
    g.constant("int64", list)
  );
  return [
    g.op("Slice", [joined, start, length, axis]),
    g.op("Slice", [joined, length, end, axis]),
  ];
}
