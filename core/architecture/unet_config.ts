import { z } from "zod";
import { activationName } from "./activation.ts";
import { count, noEffect, only } from "./config.ts";

const perLevel = z.union([count, z.array(count)]);
const depth = z.int().min(0);

/** Fields that UNet2DConditionModel and ControlNetModel have in common; defaults of diffusers. */
export const downPathFields = {
  act_fn: activationName.default("silu"),
  addition_embed_type: z.enum(["text_time"]).nullable().default(null),
  addition_embed_type_num_heads: noEffect.optional(),
  addition_time_embed_dim: count.nullable().default(null),
  /** The number of heads, in spite of its name. */
  attention_head_dim: perLevel.default(8),
  block_out_channels: z.array(count).min(1).default([320, 640, 1280, 1280]),
  class_embed_type: z.enum(["timestep", "projection", "simple_projection"]).nullable()
    .default(null),
  cross_attention_dim: perLevel.default(1280),
  down_block_types: z.array(z.enum(["CrossAttnDownBlock2D", "DownBlock2D"])).default([
    "CrossAttnDownBlock2D",
    "CrossAttnDownBlock2D",
    "CrossAttnDownBlock2D",
    "DownBlock2D",
  ]),
  downsample_padding: z.int().min(0).default(1),
  encoder_hid_dim: count.nullable().default(null),
  encoder_hid_dim_type: z.enum(["text_proj"]).nullable().default(null),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.int().min(0).max(1).default(0),
  in_channels: count.default(4),
  layers_per_block: perLevel.default(2),
  mid_block_scale_factor: z.number().positive().default(1),
  mid_block_type: z.enum(["UNetMidBlock2DCrossAttn", "UNetMidBlock2D"]).nullable()
    .default("UNetMidBlock2DCrossAttn"),
  norm_eps: z.number().positive().default(1e-5),
  norm_num_groups: count.default(32),
  num_attention_heads: perLevel.nullable().default(null),
  num_class_embeds: count.nullable().default(null),
  only_cross_attention: z.union([z.boolean(), z.array(z.boolean())]).default(false),
  projection_class_embeddings_input_dim: count.nullable().default(null),
  resnet_time_scale_shift: z.enum(["default", "scale_shift"]).default("default"),
  transformer_layers_per_block: z.union([depth, z.array(z.union([depth, z.array(depth)]))])
    .default(1),
  upcast_attention: noEffect.optional(),
  use_linear_projection: z.boolean().default(false),
};

export const unetSchema = z.strictObject({
  ...downPathFields,
  attention_type: only("default"),
  center_input_sample: z.boolean().default(false),
  class_embeddings_concat: only(false),
  conv_in_kernel: count.default(3),
  conv_out_kernel: count.default(3),
  cross_attention_norm: only(null),
  dropout: noEffect.optional(),
  dual_cross_attention: only(false),
  mid_block_only_cross_attention: z.literal(false).nullable().default(null),
  out_channels: count.default(4),
  resnet_out_scale_factor: only(1),
  resnet_skip_time_act: only(false),
  reverse_transformer_layers_per_block: z.array(z.union([depth, z.array(depth)])).nullable()
    .default(null),
  sample_size: noEffect.optional(),
  time_cond_proj_dim: count.nullable().default(null),
  time_embedding_act_fn: activationName.nullable().default(null),
  time_embedding_dim: count.nullable().default(null),
  time_embedding_type: only("positional"),
  timestep_post_act: activationName.nullable().default(null),
  up_block_types: z.array(z.enum(["CrossAttnUpBlock2D", "UpBlock2D"])).default([
    "UpBlock2D",
    "CrossAttnUpBlock2D",
    "CrossAttnUpBlock2D",
    "CrossAttnUpBlock2D",
  ]),
});

export type UNetConfig = z.infer<typeof unetSchema>;
/** What embeddings, down blocks and mid block are built from. */
export type DownPathConfig = Pick<UNetConfig, keyof typeof downPathFields>;

/** One level of the network, from the largest picture to the smallest. */
export interface Level {
  readonly channels: number;
  readonly layers: number;
  readonly heads: number;
  readonly contextWidth: number;
  readonly onlyCrossAttention: boolean;
  /** Of its transformers on the way down, a layer. */
  readonly depths: number | readonly number[];
}

/** @param refuse when a list is not as long as there are levels. */
export function levelsOf(config: DownPathConfig, refuse: (why: string) => never): Level[] {
  const levels = config.block_out_channels.length;
  const at = <T>(value: T | readonly T[], i: number, field: string): T => {
    if (!Array.isArray(value)) return value as T;
    if (value.length !== levels) refuse(`${field} has ${value.length} entries, not ${levels}`);
    return value[i];
  };
  if (config.down_block_types.length !== levels) {
    refuse(`down_block_types has ${config.down_block_types.length} entries, not ${levels}`);
  }
  return config.block_out_channels.map((channels, i) => ({
    channels,
    layers: at(config.layers_per_block, i, "layers_per_block"),
    heads: at(config.num_attention_heads ?? config.attention_head_dim, i, "attention_head_dim"),
    contextWidth: at(config.cross_attention_dim, i, "cross_attention_dim"),
    onlyCrossAttention: at(config.only_cross_attention, i, "only_cross_attention"),
    depths: at<number | readonly number[]>(
      config.transformer_layers_per_block as number | (number | readonly number[])[],
      i,
      "transformer_layers_per_block",
    ),
  }));
}

/** Blocks of one transformer. @param layer its place in the level. */
export function depthAt(depths: number | readonly number[], layer: number): number {
  return typeof depths === "number" ? depths : depths[layer] ?? 0;
}
