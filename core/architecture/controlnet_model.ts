import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { activation } from "./activation.ts";
import { count, decodeConfig, only } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { downPathFields, levelsOf } from "./unet_config.ts";
import { downBlocks, type Features, midBlock } from "./unet_down_path.ts";
import { encoderHiddenStates, timeEmbedding } from "./unet_embedding.ts";

const NAME = "ControlNetModel";

const schema = z.strictObject({
  ...downPathFields,
  conditioning_channels: count.default(3),
  conditioning_embedding_out_channels: z.array(count).min(1).default([16, 32, 96, 256]),
  controlnet_conditioning_channel_order: only("rgb"),
  global_pool_conditions: only(false),
});
type Config = z.infer<typeof schema>;

/**
 * The graph of a ControlNet: what its UNet takes, `controlnet_cond` [batch, conditioning_channels, 8h,
 * 8w] in 0..1 and `conditioning_scales`, one for each residual and then the middle's (all the same,
 * but for guess mode), to `down.i`, one for each skip of the UNet, and `mid`.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function controlNetModel(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decodeConfig(NAME, schema, json);
  const net = new Network(NAME, tensors, options);
  const levels = levelsOf(config, (why) => net.refuse(why));
  const { in_channels: from, block_out_channels: [channels] } = config;

  const sample = picture(net, "sample", from, "");
  const time = timeEmbedding(net, config);
  const inputs = { time, context: encoderHiddenStates(net, config) };
  const hint = picture(net, "controlnet_cond", config.conditioning_channels, "control_");
  const x = net.add(
    net.conv(sample, "conv_in", from, channels),
    conditioningEmbedding(net, config, hint, channels),
  );
  const { last, skips } = downBlocks(net, config, levels, { x, channels }, inputs);
  const middle = midBlock(net, config, levels, last, inputs);
  residuals(net, skips, middle);
  return net.finish();
}

/** The hint, eight times smaller and as wide as the network's first features. */
function conditioningEmbedding(net: Network, config: Config, hint: Variable, to: number): Variable {
  const name = "controlnet_cond_embedding";
  const widths = config.conditioning_embedding_out_channels;
  const silu = (h: Variable) => activation(net, "silu", h);
  let x = silu(net.conv(hint, `${name}.conv_in`, config.conditioning_channels, widths[0]));
  for (const [i, width] of widths.slice(0, -1).entries()) {
    x = silu(net.conv(x, `${name}.blocks.${2 * i}`, width, width));
    x = silu(net.conv(x, `${name}.blocks.${2 * i + 1}`, width, widths[i + 1], { stride: 2 }));
  }
  return net.conv(x, `${name}.conv_out`, widths[widths.length - 1], to);
}

/** Convolutions that are zero before training, each times its scale. */
function residuals(net: Network, skips: readonly Features[], middle: Features): void {
  const names = skips.map((_, i) => ({ output: `down.${i}`, name: `controlnet_down_blocks.${i}` }));
  const all = [...names, { output: "mid", name: "controlnet_mid_block" }];
  const scales = net.input("conditioning_scales", [all.length]);
  // One by one: a GPU writes to less than ten buffers at once, and a split of all would be more.
  const scaleOf = (i: number) => net.g.op("Gather", [scales, net.g.constant("int64", [i])]);
  for (const [i, { x, channels }] of [...skips, middle].entries()) {
    const zero = net.conv(x, all[i].name, channels, channels, { kernel: 1 });
    const dims = ["batch", channels, `height_${i}`, `width_${i}`];
    net.output(all[i].output, dims, net.mul(zero, scaleOf(i)));
  }
}

function picture(net: Network, name: string, channels: number, side: string): Variable {
  const dims = ["batch", channels, `${side}height`, `${side}width`];
  return net.input(name, dims);
}
