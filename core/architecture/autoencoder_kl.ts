import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { activation, activationName } from "./activation.ts";
import { count, decodeConfig, noEffect } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { downsample, resnet, type ResnetConfig, upsample } from "./resnet.ts";

const NAME = "AutoencoderKL";
const EPS = 1e-6;

const schema = z.strictObject({
  act_fn: activationName.default("silu"),
  block_out_channels: z.array(count).min(1).default([64]),
  down_block_types: z.array(z.literal("DownEncoderBlock2D")).default(["DownEncoderBlock2D"]),
  force_upcast: noEffect.optional(),
  in_channels: count.default(3),
  latent_channels: count.default(4),
  // What a pipeline does to a latent before it is decoded, and after it is encoded.
  latents_mean: noEffect.optional(),
  latents_std: noEffect.optional(),
  layers_per_block: count.default(1),
  mid_block_add_attention: z.boolean().default(true),
  norm_num_groups: count.default(32),
  out_channels: count.default(3),
  sample_size: noEffect.optional(),
  scaling_factor: noEffect.optional(),
  shift_factor: noEffect.optional(),
  up_block_types: z.array(z.literal("UpDecoderBlock2D")).default(["UpDecoderBlock2D"]),
  use_post_quant_conv: z.boolean().default(true),
  use_quant_conv: z.boolean().default(true),
});
type Config = z.infer<typeof schema>;

/** Whose tensors are whose; together they are all that a VAE has. */
const DECODER = /^(decoder|post_quant_conv)\./;

/**
 * The graph that makes an image's latent: `sample` [batch, in_channels, h, w] in -1..1, to `mean` and
 * `logvar` [batch, latent_channels, h/8, w/8] of its posterior, not scaled.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function autoencoderKLEncoder(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decode(json);
  const net = new Network(NAME, tensors, options);
  const { block_out_channels: widths, latent_channels: latent } = config;
  const sample = picture(net, "sample", config.in_channels);

  let x = net.conv(sample, "encoder.conv_in", config.in_channels, widths[0]);
  let channels = widths[0];
  for (const [i, width] of widths.entries()) {
    const name = `encoder.down_blocks.${i}`;
    x = resnets(net, config, x, name, { from: channels, to: width }, config.layers_per_block);
    channels = width;
    if (i < widths.length - 1) x = downsample(net, x, `${name}.downsamplers.0`, channels, 0);
  }
  x = midBlock(net, config, x, "encoder.mid_block", channels);
  x = convOut(net, config, x, "encoder", channels, 2 * latent);
  if (config.use_quant_conv) {
    x = net.conv(x, "quant_conv", 2 * latent, 2 * latent, { kernel: 1 });
  }
  const [mean, logvar] = net.chunk(x, 2, 1);
  const [low, high] = [-30, 20].map((bound) => net.numbers([bound], []));
  output(net, "mean", latent, mean);
  output(net, "logvar", latent, net.g.op("Clip", [logvar, low, high]));
  return net.finish((name) => !DECODER.test(name));
}

/**
 * The graph that makes an image of a latent: `latent_sample` [batch, latent_channels, h, w], no longer
 * scaled, to `sample` [batch, out_channels, 8h, 8w] in about -1..1.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function autoencoderKLDecoder(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decode(json);
  const net = new Network(NAME, tensors, options);
  const widths = config.block_out_channels.toReversed();
  const latent = config.latent_channels;

  let x = picture(net, "latent_sample", latent);
  if (config.use_post_quant_conv) {
    x = net.conv(x, "post_quant_conv", latent, latent, { kernel: 1 });
  }
  x = net.conv(x, "decoder.conv_in", latent, widths[0]);
  x = midBlock(net, config, x, "decoder.mid_block", widths[0]);
  let channels = widths[0];
  for (const [i, width] of widths.entries()) {
    const name = `decoder.up_blocks.${i}`;
    x = resnets(net, config, x, name, { from: channels, to: width }, config.layers_per_block + 1);
    channels = width;
    if (i < widths.length - 1) x = upsample(net, x, `${name}.upsamplers.0`, channels);
  }
  output(
    net,
    "sample",
    config.out_channels,
    convOut(
      ...[net, config, x, "decoder", channels, config.out_channels] as const,
    ),
  );
  return net.finish((name) => DECODER.test(name));
}

function decode(json: unknown): Config {
  const config = decodeConfig(NAME, schema, json);
  const levels = config.block_out_channels.length;
  const net = new Network(NAME, new Map());
  for (const field of ["down_block_types", "up_block_types"] as const) {
    const entries = config[field].length;
    if (entries !== levels) net.refuse(`${field} has ${entries} entries, not ${levels}`);
  }
  return config;
}

function resnetConfig(config: Config): ResnetConfig {
  return { ...config, norm_eps: EPS, resnet_time_scale_shift: "default" };
}

function resnets(
  net: Network,
  config: Config,
  x: Variable,
  name: string,
  { from, to }: { readonly from: number; readonly to: number },
  layers: number,
): Variable {
  let h = x;
  for (let j = 0; j < layers; j++) {
    const sides = { from: j === 0 ? from : to, to };
    h = resnet(net, resnetConfig(config), h, `${name}.resnets.${j}`, sides);
  }
  return h;
}

function midBlock(net: Network, config: Config, x: Variable, name: string, channels: number) {
  const same = { from: channels, to: channels };
  let h = resnet(net, resnetConfig(config), x, `${name}.resnets.0`, same);
  if (config.mid_block_add_attention) {
    h = attention(net, config, h, `${name}.attentions.0`, channels);
  }
  return resnet(net, resnetConfig(config), h, `${name}.resnets.1`, same);
}

const NAMES = { q: "to_q", k: "to_k", v: "to_v", out: "to_out.0" };
/** Of checkpoints from before diffusers 0.18. */
const OLD_NAMES = { q: "query", k: "key", v: "value", out: "proj_attn" };

/** One head over all pixels. @param x [batch, channels, h, w] */
function attention(net: Network, config: Config, x: Variable, name: string, channels: number) {
  const { q, k, v, out } = net.has(`${name}.query.weight`) ? OLD_NAMES : NAMES;
  const normed = net.groupNorm(x, `${name}.group_norm`, channels, config.norm_num_groups, EPS);
  const pixels = net.g.op("Transpose", [normed], { attributes: { perm: [0, 2, 3, 1] } });
  const tokens = net.g.op("Reshape", [pixels, net.g.constant("int64", [0, -1, channels])]);
  const linear = (h: Variable, layer: string) =>
    net.linear(h, `${name}.${layer}`, channels, channels);
  const attended = net.attention([q, k, v].map((layer) => linear(tokens, layer)), 1);
  const rows = net.g.op("Reshape", [linear(attended, out), net.g.op("Shape", [pixels])]);
  return net.add(x, net.g.op("Transpose", [rows], { attributes: { perm: [0, 3, 1, 2] } }));
}

function convOut(
  net: Network,
  config: Config,
  x: Variable,
  name: string,
  from: number,
  to: number,
): Variable {
  const h = net.groupNorm(x, `${name}.conv_norm_out`, from, config.norm_num_groups, EPS);
  return net.conv(activation(net, config.act_fn, h), `${name}.conv_out`, from, to);
}

function picture(net: Network, name: string, channels: number): Variable {
  return net.input(name, ["batch", channels, "height", "width"]);
}

function output(net: Network, name: string, channels: number, x: Variable): void {
  // Named otherwise than the input's: it is of another size.
  const dims = ["batch", channels, "output_height", "output_width"];
  net.output(name, dims, x);
}
