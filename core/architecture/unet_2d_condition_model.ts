import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { activation } from "./activation.ts";
import { decodeConfig } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { resnet, upsample } from "./resnet.ts";
import { transformer2d } from "./transformer.ts";
import { depthAt, type Level, levelsOf, type UNetConfig, unetSchema } from "./unet_config.ts";
import {
  type BlockInputs,
  downBlocks,
  type Features,
  midBlock,
  transformerOf,
} from "./unet_down_path.ts";
import { encoderHiddenStates, timeEmbedding } from "./unet_embedding.ts";

const NAME = "UNet2DConditionModel";

/**
 * The graph of a UNet: `sample` [batch, in_channels, h, w], `timestep`, `encoder_hidden_states` and,
 * as its configuration has it, `text_embeds`, `time_ids`, `timestep_cond`, `class_labels`, to
 * `out_sample` [batch, out_channels, h, w]. With `residuals`, `down_block_additional_residual_i`, one for
 * each skip, and `mid_block_additional_residual` as well, which are added there. With `splits`, `sample`
 * has the channels of `out_sample`, and `masked` the others, which come behind them.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function unet2dConditionModel(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decodeConfig(NAME, unetSchema, json);
  const net = new Network(NAME, tensors, options);
  const levels = levelsOf(config, (why) => net.refuse(why));

  const sample = options?.splits
    ? splitSample(net, config)
    : net.input("sample", ["batch", config.in_channels, "height", "width"]);
  const time = timeEmbedding(net, config);
  const inputs = { time, context: encoderHiddenStates(net, config) };

  const start = convIn(net, config, sample);
  const { last, skips: own } = downBlocks(net, config, levels, start, inputs);
  const centre = midBlock(net, config, levels, last, inputs);
  const [middle, ...skips] = options?.residuals
    ? withResiduals(net, centre, own)
    : [centre, ...own];
  const { x, channels } = upBlocks(net, config, levels, middle, skips, inputs);

  const { norm_num_groups: groups, norm_eps: eps, out_channels: out } = config;
  const h = activation(
    net,
    config.act_fn,
    net.groupNorm(x, "conv_norm_out", channels, groups, eps),
  );
  const output = net.conv(h, "conv_out", channels, out, { kernel: config.conv_out_kernel });
  net.output("out_sample", ["batch", out, "height", "width"], output);
  return net.finish();
}

function splitSample(net: Network, { in_channels: all, out_channels: own }: UNetConfig): Variable {
  const part = (name: string, channels: number) =>
    net.input(name, ["batch", channels, "height", "width"]);
  return net.concat([part("sample", own), part("masked", all - own)], 1);
}

function convIn(net: Network, config: UNetConfig, sample: Variable): Features {
  const { in_channels: from, block_out_channels: [channels], conv_in_kernel: kernel } = config;
  const centred = config.center_input_sample
    ? net.add(net.scale(sample, 2), net.numbers([-1], []))
    : sample;
  return { x: net.conv(centred, "conv_in", from, channels, { kernel }), channels };
}

/** Skips and middle with what ControlNets made of them; the middle comes first. */
function withResiduals(net: Network, middle: Features, skips: readonly Features[]): Features[] {
  const added = ({ x, channels }: Features, name: string, place: string | number): Features => {
    const dims = ["batch", channels, `height_${place}`, `width_${place}`];
    return { x: net.add(x, net.input(name, dims)), channels };
  };
  return [
    added(middle, "mid_block_additional_residual", "mid"),
    ...skips.map((skip, i) => added(skip, `down_block_additional_residual_${i}`, i)),
  ];
}

function upBlocks(
  net: Network,
  config: UNetConfig,
  levels: readonly Level[],
  start: Features,
  skips: readonly Features[],
  inputs: BlockInputs,
): Features {
  const types = config.up_block_types;
  if (types.length !== levels.length) {
    net.refuse(`up_block_types has ${types.length} entries, not ${levels.length}`);
  }
  let { x, channels } = start;
  const left = [...skips];
  for (const [i, level] of levels.toReversed().entries()) {
    const name = `up_blocks.${i}`;
    const depths = config.reverse_transformer_layers_per_block?.[i] ?? level.depths;
    for (let j = 0; j < level.layers + 1; j++) {
      const skip = left.pop() ?? net.refuse(`${name} has more layers than the way down left`);
      const sides = { from: channels + skip.channels, to: level.channels };
      x = net.concat([x, skip.x], 1);
      x = resnet(net, config, x, `${name}.resnets.${j}`, sides, { time: inputs.time });
      channels = level.channels;
      if (types[i] === "CrossAttnUpBlock2D") {
        const attention = transformerOf(config, level, depthAt(depths, j), inputs);
        x = transformer2d(net, x, `${name}.attentions.${j}`, channels, attention);
      }
    }
    const next = left.at(-1);
    if (next) x = upsample(net, x, `${name}.upsamplers.0`, channels, next.x);
  }
  return { x, channels };
}
