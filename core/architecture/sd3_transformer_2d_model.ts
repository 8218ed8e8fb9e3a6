import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { activation } from "./activation.ts";
import { count, decodeConfig, noEffect } from "./config.ts";
import { timestepEmbedding } from "./embeddings.ts";
import {
  continuousNorm,
  feedForward,
  headNorm,
  modulated,
  modulations,
  numberEmbedding,
  splitTokens,
  type Streams,
} from "./modulation.ts";
import { Network, type NetworkOptions } from "./network.ts";

const NAME = "SD3Transformer2DModel";

const schema = z.strictObject({
  attention_head_dim: count.default(64),
  caption_projection_dim: count.default(1152),
  dual_attention_layers: z.array(z.int().min(0)).default([]),
  in_channels: count.default(16),
  joint_attention_dim: count.default(4096),
  num_attention_heads: count.default(18),
  num_layers: count.default(18),
  out_channels: count.default(16),
  patch_size: count.default(2),
  pooled_projection_dim: count.default(2048),
  pos_embed_max_size: count.default(96),
  qk_norm: z.literal("rms_norm").nullable().default(null),
  sample_size: noEffect.optional(),
});
/** `width` of a token: all heads side by side. */
type Config = z.infer<typeof schema> & { readonly width: number };

/**
 * The graph of SD3's transformer: `hidden_states` [batch, in_channels, h, w], `encoder_hidden_states`,
 * `pooled_projections` and `timestep` [batch] in 0..1000, to `out_sample` [batch, out_channels, h, w].
 * Written as a UNet it calls the first of them `sample`, and what is pooled `text_embeds`.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function sd3Transformer2dModel(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const decoded = decodeConfig(NAME, schema, json);
  const width = decoded.num_attention_heads * decoded.attention_head_dim;
  const config: Config = { ...decoded, width };
  const net = new Network(NAME, tensors, options);
  const { in_channels: channels, joint_attention_dim: textWidth } = config;

  const [sampleName, pooledName] = options?.asUnet
    ? ["sample", "text_embeds"]
    : ["hidden_states", "pooled_projections"];
  const sample = net.input(sampleName, ["batch", channels, "height", "width"]);
  const text = net.input("encoder_hidden_states", ["batch", "tokens", textWidth]);
  const pooled = net.input(pooledName, ["batch", config.pooled_projection_dim]);
  const timestep = net.g.input({ name: "timestep", type: "float32", dims: ["batch"] });
  const condition = conditioning(net, config, pooled, timestep);
  const patches = net.conv(sample, "pos_embed.proj", channels, width, {
    kernel: config.patch_size,
    stride: config.patch_size,
    padding: 0,
  });
  let streams: Streams = {
    x: withPositions(net, config, patches),
    context: net.linear(text, "context_embedder", textWidth, config.caption_projection_dim),
  };
  for (let i = 0; i < config.num_layers; i++) streams = block(net, config, streams, condition, i);

  const x = continuousNorm(net, streams.x, condition, "norm_out", width);
  const size = config.patch_size ** 2 * config.out_channels;
  const pixels = unpatchify(net, config, net.linear(x, "proj_out", width, size), patches);
  const dims = ["batch", config.out_channels, "height", "width"];
  net.output("out_sample", dims, pixels);
  return net.finish();
}

/** Timestep and pooled text, after silu: [batch, width]. */
function conditioning(net: Network, config: Config, pooled: Variable, timestep: Variable) {
  const { width, pooled_projection_dim: from } = config;
  const time = numberEmbedding(net, timestep, "time_text_embed.timestep_embedder", width);
  const name = "time_text_embed.text_embedder";
  const text = timestepEmbedding(net, pooled, name, { from, to: width }, "silu");
  return activation(net, "silu", net.add(time, text));
}

/** Adds the middle of the table of positions. @returns [batch, tokens, width] */
function withPositions(net: Network, config: Config, patches: Variable): Variable {
  const { width, pos_embed_max_size: side } = config;
  const { g } = net;
  const table = net.reshape(
    net.weight("pos_embed.pos_embed", [1, side * side, width]),
    [side, side, width],
  );
  const size = g.op("Shape", [patches], { attributes: { start: 2, end: 4 } });
  const around = g.op("Sub", [g.constant("int64", [side]), size]);
  const start = g.op("Div", [around, g.constant("int64", [2])]);
  const middle = g.op("Slice", [table, start, net.add(start, size), g.constant("int64", [0, 1])]);
  const tokens = net.reshape(net.transpose(patches, [0, 2, 3, 1]), [0, -1, width]);
  return net.add(tokens, net.reshape(middle, [1, -1, width]));
}

/** diffusers' JointTransformerBlock. */
function block(
  net: Network,
  config: Config,
  { x, context }: Streams,
  condition: Variable,
  index: number,
): Streams {
  const { width } = config;
  const name = `transformer_blocks.${index}`;
  const last = index === config.num_layers - 1;
  const dual = config.dual_attention_layers.includes(index);
  const own = modulations(net, condition, `${name}.norm1`, width, dual ? 9 : 6);
  const contextName = `${name}.norm1_context`;
  const theirs = last ? undefined : modulations(net, condition, contextName, width, 6);
  const normedContext = theirs
    ? modulated(net, context, width, theirs[0], theirs[1])
    : continuousNorm(net, context, condition, contextName, width);

  const normed = modulated(net, x, width, own[0], own[1]);
  const attended = jointAttention(net, config, normed, `${name}.attn`, {
    x: normedContext,
    output: !last,
  });
  let h = net.add(x, net.mul(own[2], attended.x));
  if (dual) {
    const second = modulated(net, x, width, own[6], own[7]);
    h = net.add(h, net.mul(own[8], jointAttention(net, config, second, `${name}.attn2`).x));
  }
  h = net.add(h, net.mul(own[5], wide(net, h, `${name}.ff`, width, own)));
  if (!theirs || !attended.context) return { x: h, context };
  const c = net.add(context, net.mul(theirs[2], attended.context));
  const ff = wide(net, c, `${name}.ff_context`, width, theirs);
  return { x: h, context: net.add(c, net.mul(theirs[5], ff)) };
}

function wide(
  net: Network,
  x: Variable,
  name: string,
  width: number,
  parts: readonly Variable[],
): Variable {
  return feedForward(net, modulated(net, x, width, parts[3], parts[4]), name, width);
}

/** Picture and text attend to both; without text the picture attends to itself. */
function jointAttention(
  net: Network,
  config: Config,
  x: Variable,
  name: string,
  text?: { readonly x: Variable; readonly output: boolean },
): { readonly x: Variable; readonly context?: Variable } {
  const { width, num_attention_heads: heads } = config;
  const linear = (h: Variable, layer: string) => net.linear(h, `${name}.${layer}`, width, width);
  const project = (h: Variable, layer: string, norm: string) => {
    const projected = linear(h, layer);
    if (config.qk_norm === null) return projected;
    const shape = { count: heads, width: config.attention_head_dim };
    return headNorm(net, projected, `${name}.${norm}`, shape);
  };
  const own = [project(x, "to_q", "norm_q"), project(x, "to_k", "norm_k"), linear(x, "to_v")];
  if (!text) return { x: linear(net.attention(own, heads), "to_out.0") };
  const theirs = [
    project(text.x, "add_q_proj", "norm_added_q"),
    project(text.x, "add_k_proj", "norm_added_k"),
    linear(text.x, "add_v_proj"),
  ];
  const joined = net.attention(own.map((part, i) => net.concat([part, theirs[i]], 1)), heads);
  const [picture, context] = splitTokens(net, joined, x);
  const out = linear(picture, "to_out.0");
  return text.output ? { x: out, context: linear(context, "to_add_out") } : { x: out };
}

/** Tokens to pixels. @param patches whose height and width the tokens have. */
function unpatchify(net: Network, config: Config, tokens: Variable, patches: Variable): Variable {
  const { patch_size: p, out_channels: channels } = config;
  const { g } = net;
  const size = g.op("Shape", [patches], { attributes: { start: 2, end: 4 } });
  const keep = g.constant("int64", [0]);
  const grid = net.concat([keep, size, g.constant("int64", [p, p, channels])], 0);
  const squares = net.transpose(g.op("Reshape", [tokens, grid]), [0, 5, 1, 3, 2, 4]);
  const pixels = net.mul(size, g.constant("int64", [p]));
  const shape = net.concat([keep, g.constant("int64", [channels]), pixels], 0);
  return g.op("Reshape", [squares, shape]);
}
