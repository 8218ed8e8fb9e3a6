import type { Variable } from "../onnx/mod.ts";
import type { Network } from "./network.ts";
import { downsample, resnet, type TimeEmbedding } from "./resnet.ts";
import { transformer2d } from "./transformer.ts";
import { depthAt, type DownPathConfig, type Level } from "./unet_config.ts";

/** What every block is given. */
export interface BlockInputs {
  readonly time: TimeEmbedding;
  /** Text: [batch, tokens, contextWidth of the level]. */
  readonly context: Variable;
}

/** Features of a picture: [batch, channels, h, w]. */
export interface Features {
  readonly x: Variable;
  readonly channels: number;
}

/** @returns the last features, and those that the way up is given, in the order they were made. */
export function downBlocks(
  net: Network,
  config: DownPathConfig,
  levels: readonly Level[],
  start: Features,
  inputs: BlockInputs,
): { readonly last: Features; readonly skips: readonly Features[] } {
  let { x, channels } = start;
  const skips = [start];
  for (const [i, level] of levels.entries()) {
    const name = `down_blocks.${i}`;
    for (let j = 0; j < level.layers; j++) {
      const sides = { from: channels, to: level.channels };
      x = resnet(net, config, x, `${name}.resnets.${j}`, sides, { time: inputs.time });
      channels = level.channels;
      if (config.down_block_types[i] === "CrossAttnDownBlock2D") {
        const attention = transformerOf(config, level, depthAt(level.depths, j), inputs);
        x = transformer2d(net, x, `${name}.attentions.${j}`, channels, attention);
      }
      skips.push({ x, channels });
    }
    if (i < levels.length - 1) {
      x = downsample(net, x, `${name}.downsamplers.0`, channels, config.downsample_padding);
      skips.push({ x, channels });
    }
  }
  return { last: { x, channels }, skips };
}

export function midBlock(
  net: Network,
  config: DownPathConfig,
  levels: readonly Level[],
  { x: start, channels }: Features,
  inputs: BlockInputs,
): Features {
  if (config.mid_block_type === null) return { x: start, channels };
  const level = levels[levels.length - 1];
  const layer = (h: Variable, j: number) =>
    resnet(net, config, h, `mid_block.resnets.${j}`, { from: channels, to: channels }, {
      time: inputs.time,
      scale: config.mid_block_scale_factor,
    });
  let x = layer(start, 0);
  if (config.mid_block_type === "UNetMidBlock2D") return { x, channels };
  const depth = depthAt(level.depths, 0);
  const attention = transformerOf(config, { ...level, onlyCrossAttention: false }, depth, inputs);
  x = transformer2d(net, x, "mid_block.attentions.0", channels, attention);
  return { x: layer(x, 1), channels };
}

export function transformerOf(
  config: DownPathConfig,
  { heads, contextWidth, onlyCrossAttention }: Level,
  depth: number,
  { context }: BlockInputs,
) {
  return {
    ...{ context, contextWidth, heads, depth, onlyCrossAttention },
    groups: config.norm_num_groups,
    linearProjection: config.use_linear_projection,
  };
}
