import type { Variable } from "../onnx/mod.ts";
import { activation, type ActivationName } from "./activation.ts";
import type { Network } from "./network.ts";

/** Of a layer of CLIP, for text or images alike. */
export interface ClipLayerConfig {
  readonly hidden_act: ActivationName;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly layer_norm_eps: number;
  readonly num_attention_heads: number;
}

/** @throws AppError `model_invalid` for a width that the heads do not divide. */
export function checkHeads(
  net: Network,
  { hidden_size: width, num_attention_heads: heads }: ClipLayerConfig,
): void {
  if (width % heads !== 0) net.refuse(`hidden_size is ${width}, not a multiple of ${heads} heads`);
}

/** Attention and two linear layers, each normed before. @param mask of scores; none sees all. */
export function clipLayer(
  net: Network,
  config: ClipLayerConfig,
  x: Variable,
  name: string,
  mask?: Variable,
): Variable {
  const { hidden_size: width, intermediate_size: wide, layer_norm_eps: eps } = config;
  const linear = (h: Variable, part: string) =>
    net.linear(h, `${name}.self_attn.${part}`, width, width);
  const normed = net.layerNorm(x, `${name}.layer_norm1`, width, eps);
  const parts = ["q_proj", "k_proj", "v_proj"].map((part) => linear(normed, part));
  const attended = net.attention(parts, config.num_attention_heads, mask);
  const h = net.add(x, linear(attended, "out_proj"));

  const inner = net.linear(
    net.layerNorm(h, `${name}.layer_norm2`, width, eps),
    `${name}.mlp.fc1`,
    width,
    wide,
  );
  const active = activation(net, config.hidden_act, inner);
  return net.add(h, net.linear(active, `${name}.mlp.fc2`, wide, width));
}
