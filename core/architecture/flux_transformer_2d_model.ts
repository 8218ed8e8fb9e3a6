import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { activation } from "./activation.ts";
import { count, decodeConfig, noEffect, only } from "./config.ts";
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
import { gridPlaces, noPlaces, type Packed, packed, PATCH, unpacked } from "./packed_latents.ts";
import { rotated, type Rotation, rotation } from "./rotary.ts";

const NAME = "FluxTransformer2DModel";

const schema = z.strictObject({
  attention_head_dim: count.default(128),
  axes_dims_rope: z.array(z.int().min(2).multipleOf(2)).min(1).default([16, 56, 56]),
  guidance_embeds: z.boolean().default(false),
  in_channels: count.default(64),
  joint_attention_dim: count.default(4096),
  num_attention_heads: count.default(24),
  num_layers: count.default(19),
  num_single_layers: z.int().min(0).default(38),
  out_channels: count.nullable().default(null),
  patch_size: only(1),
  pooled_projection_dim: count.default(768),
  sample_size: noEffect.optional(),
});
type Config = z.infer<typeof schema>;

/** What every block is given. */
interface Blocks {
  /** Of a token: all heads side by side. */
  readonly width: number;
  readonly heads: { readonly count: number; readonly width: number };
  /** [batch, width], after silu. */
  readonly condition: Variable;
  /** Of text and picture, in this order. */
  readonly rotation: Rotation;
}

/**
 * The graph of Flux' transformer: `hidden_states` [batch, tokens, in_channels], `encoder_hidden_states`,
 * `pooled_projections`, `timestep` [batch] in 0..1, `img_ids` and `txt_ids` [tokens, axes], `guidance`
 * [batch] where the configuration has it, to `out_sample` [batch, tokens, out_channels]. Written as a
 * UNet it packs latents into tokens itself, and numbers them.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function fluxTransformer2dModel(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decodeConfig(NAME, schema, json);
  const net = new Network(NAME, tensors, options);
  const heads = { count: config.num_attention_heads, width: config.attention_head_dim };
  const width = heads.count * heads.width;
  const { in_channels: channels, joint_attention_dim: textWidth, axes_dims_rope: axes } = config;
  if (axes.reduce((sum, axis) => sum + axis, 0) !== heads.width) {
    net.refuse(`axes_dims_rope is [${axes}], which is not ${heads.width} in all`);
  }

  const text = () => net.input("encoder_hidden_states", ["batch", "tokens", textWidth]);
  const inputs = options?.asUnet ? latentInputs(net, config, text) : tokenInputs(net, config, text);
  const condition = conditioning(net, config, width, options?.asUnet ?? false);
  const places = rotation(net, net.concat(inputs.places, 0), axes);
  const blocks = { width, heads, condition, rotation: places };

  let streams: Streams = {
    x: net.linear(inputs.picture, "x_embedder", channels, width),
    context: net.linear(inputs.text, "context_embedder", textWidth, width),
  };
  for (let i = 0; i < config.num_layers; i++) streams = doubleBlock(net, blocks, streams, i);
  let joined = net.concat([streams.context, streams.x], 1);
  for (let i = 0; i < config.num_single_layers; i++) joined = singleBlock(net, blocks, joined, i);
  const [, x] = splitTokens(net, joined, streams.context);

  const out = config.out_channels ?? channels;
  const normed = continuousNorm(net, x, condition, "norm_out", width);
  const output = net.linear(normed, "proj_out", width, out);
  inputs.finish(output, out);
  return net.finish();
}

/** What the graph is given, in tokens. */
interface Inputs {
  readonly picture: Variable;
  readonly text: Variable;
  /** Of text and picture: float32[tokens, axes] each. */
  readonly places: readonly Variable[];
  /** Makes the graph's output of what the last layer gives. */
  readonly finish: (tokens: Variable, channels: number) => void;
}

function tokenInputs(net: Network, config: Config, textInput: () => Variable): Inputs {
  const { in_channels: channels, axes_dims_rope: { length: axes } } = config;
  const picture = net.input("hidden_states", ["batch", "pixels", channels]);
  const text = textInput();
  const places = (["txt_ids", "img_ids"] as const).map((name, i) =>
    net.g.input({ name, type: "float32", dims: [["tokens", "pixels"][i], axes] })
  );
  const finish = (tokens: Variable, out: number) =>
    net.output("out_sample", ["batch", "pixels", out], tokens);
  return { picture, text, places, finish };
}

/** Of latents, as diffusers' FluxPipeline packs and numbers them. */
function latentInputs(net: Network, config: Config, textInput: () => Variable): Inputs {
  const { in_channels: width, axes_dims_rope: { length: axes } } = config;
  const channels = width / PATCH ** 2;
  if (!Number.isInteger(channels)) net.refuse(`in_channels is ${width}, not a multiple of 4`);
  if (axes !== 3) net.refuse(`axes_dims_rope has ${axes} axes, not 3`);
  const dims = ["batch", channels, "height", "width"];
  const latent: Packed = packed(net, net.input("sample", dims), channels);
  const text = textInput();
  const places = [noPlaces(net, text, axes), gridPlaces(net, latent.grid)];
  const finish = (tokens: Variable, out: number) => {
    if (out !== width) net.refuse(`out_channels is ${out}, and in_channels ${width}`);
    net.output("out_sample", dims, unpacked(net, { ...latent, tokens }, channels));
  };
  return { picture: latent.tokens, text, places, finish };
}

/** Timestep, guidance and pooled text, after silu: [batch, width]. */
function conditioning(
  net: Network,
  { guidance_embeds: guided, pooled_projection_dim: from }: Config,
  width: number,
  asUnet: boolean,
): Variable {
  const name = "time_text_embed";
  const number = (input: string) => net.g.input({ name: input, type: "float32", dims: ["batch"] });
  const thousandfold = (x: Variable) => net.mul(x, net.g.constant("float32", [1000], []));
  const embedded = (x: Variable, embedder: string) =>
    numberEmbedding(net, x, `${name}.${embedder}`, width);
  const time = number("timestep");
  let sum = embedded(asUnet ? time : thousandfold(time), "timestep_embedder");
  if (guided) sum = net.add(sum, embedded(thousandfold(number("guidance")), "guidance_embedder"));
  const pooled = net.input(asUnet ? "text_embeds" : "pooled_projections", ["batch", from]);
  const widths = { from, to: width };
  const text = timestepEmbedding(net, pooled, `${name}.text_embedder`, widths, "silu");
  return activation(net, "silu", net.add(sum, text));
}

/** diffusers' FluxTransformerBlock: text and picture with weights of their own. */
function doubleBlock(net: Network, blocks: Blocks, { x, context }: Streams, i: number): Streams {
  const { width, condition } = blocks;
  const name = `transformer_blocks.${i}`;
  const own = modulations(net, condition, `${name}.norm1`, width, 6);
  const theirs = modulations(net, condition, `${name}.norm1_context`, width, 6);
  const attended = jointAttention(net, blocks, `${name}.attn`, {
    x: modulated(net, x, width, own[0], own[1]),
    context: modulated(net, context, width, theirs[0], theirs[1]),
  });
  const finish = (from: Variable, gained: Variable, ff: string, parts: readonly Variable[]) => {
    const h = net.add(from, net.mul(parts[2], gained));
    const normed = modulated(net, h, width, parts[3], parts[4]);
    return net.add(h, net.mul(parts[5], feedForward(net, normed, `${name}.${ff}`, width)));
  };
  return {
    x: finish(x, attended.x, "ff", own),
    context: finish(context, attended.context, "ff_context", theirs),
  };
}

function jointAttention(net: Network, blocks: Blocks, name: string, streams: Streams): Streams {
  const { width } = blocks;
  const linear = (h: Variable, layer: string) => net.linear(h, `${name}.${layer}`, width, width);
  const normed = (h: Variable, layer: string, norm: string) =>
    headNorm(net, linear(h, layer), `${name}.${norm}`, blocks.heads);
  const joined = attend(net, blocks, [
    net.concat([
      normed(streams.context, "add_q_proj", "norm_added_q"),
      normed(streams.x, "to_q", "norm_q"),
    ], 1),
    net.concat([
      normed(streams.context, "add_k_proj", "norm_added_k"),
      normed(streams.x, "to_k", "norm_k"),
    ], 1),
    net.concat([linear(streams.context, "add_v_proj"), linear(streams.x, "to_v")], 1),
  ]);
  const [context, x] = splitTokens(net, joined, streams.context);
  return { x: linear(x, "to_out.0"), context: linear(context, "to_add_out") };
}

/** diffusers' FluxSingleTransformerBlock: attention and wide layer side by side. */
function singleBlock(net: Network, blocks: Blocks, x: Variable, i: number): Variable {
  const { width, condition, heads } = blocks;
  const name = `single_transformer_blocks.${i}`;
  const [shift, scale, gate] = modulations(net, condition, `${name}.norm`, width, 3);
  const h = modulated(net, x, width, shift, scale);
  const linear = (layer: string) => net.linear(h, `${name}.attn.${layer}`, width, width);
  const attended = attend(net, blocks, [
    headNorm(net, linear("to_q"), `${name}.attn.norm_q`, heads),
    headNorm(net, linear("to_k"), `${name}.attn.norm_k`, heads),
    linear("to_v"),
  ]);
  const wide = activation(net, "gelu_new", net.linear(h, `${name}.proj_mlp`, width, 4 * width));
  const both = net.concat([attended, wide], 2);
  return net.add(x, net.mul(gate, net.linear(both, `${name}.proj_out`, 5 * width, width)));
}

function attend(
  net: Network,
  { heads, rotation }: Blocks,
  [q, k, v]: readonly Variable[],
): Variable {
  const turned = [q, k].map((part) => rotated(net, part, heads, rotation));
  return net.attention([...turned, v], heads.count);
}
