import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { checkHeads, clipLayer } from "./clip_layer.ts";
import { count, decodeConfig, noEffect, only } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";

const NAME = "CLIPVisionModelWithProjection";

const schema = z.strictObject({
  hidden_act: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
  hidden_size: count.default(768),
  image_size: count.default(224),
  intermediate_size: count.default(3072),
  layer_norm_eps: z.number().positive().default(1e-5),
  model_type: only("clip_vision_model"),
  num_attention_heads: count.default(12),
  num_channels: only(3),
  num_hidden_layers: count.default(12),
  patch_size: count.default(32),
  projection_dim: count.default(512),
  // Of training and of how the file was saved.
  architectures: noEffect.optional(),
  attention_dropout: noEffect.optional(),
  dropout: noEffect.optional(),
  dtype: noEffect.optional(),
  initializer_factor: noEffect.optional(),
  initializer_range: noEffect.optional(),
  torch_dtype: noEffect.optional(),
  transformers_version: noEffect.optional(),
});
type Config = z.infer<typeof schema>;

/**
 * The graph of CLIP's image encoder: `pixel_values` [batch, 3, image_size, image_size], normed by the
 * model's own mean and deviation, to `image_embeds` [batch, projection_dim] and `last_hidden_state`
 * [batch, patches + 1, hidden_size], not normed.
 * @param json `config.json` of the part.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function clipVisionModelWithProjection(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decodeConfig(NAME, schema, json);
  const net = new Network(NAME, tensors, options);
  checkHeads(net, config);
  const { hidden_size: width, layer_norm_eps: eps, projection_dim: to } = config;
  // The name is misspelt in the files.
  let x = net.layerNorm(embeddings(net, config), "vision_model.pre_layrnorm", width, eps);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    x = clipLayer(net, config, x, `vision_model.encoder.layers.${i}`);
  }
  net.output("last_hidden_state", ["batch", patchesOf(net, config) + 1, width], x);
  const first = net.g.op("Gather", [x, net.g.constant("int64", [0], [])], {
    attributes: { axis: 1 },
  });
  const pooled = net.layerNorm(first, "vision_model.post_layernorm", width, eps);
  const embeds = net.linear(pooled, "visual_projection", width, to, false);
  net.output("image_embeds", ["batch", to], embeds);
  return net.finish();
}

function patchesOf(net: Network, { image_size: side, patch_size: patch }: Config): number {
  if (side % patch !== 0) net.refuse(`image_size is ${side}, not a multiple of ${patch}`);
  return (side / patch) ** 2;
}

/** The class's own state, then the patches row by row, each at its place: [batch, patches + 1, width]. */
function embeddings(net: Network, config: Config): Variable {
  const { hidden_size: width, image_size: side, patch_size: patch } = config;
  const patches = patchesOf(net, config);
  const name = "vision_model.embeddings";
  const pixels = net.input("pixel_values", ["batch", 3, side, side]);
  const kernel = net.weight(`${name}.patch_embedding.weight`, [width, 3, patch, patch]);
  const grid = net.g.op("Conv", [pixels, kernel], {
    attributes: { kernel_shape: [patch, patch], strides: [patch, patch] },
  });
  const rows = net.transpose(net.reshape(grid, [0, width, patches]), [0, 2, 1]);
  const own = net.reshape(net.weight(`${name}.class_embedding`, [width]), [1, 1, width]);
  // As many as there are pictures, by adding it to zeros of their shape.
  const zeros = net.mul(
    net.g.op("Slice", [rows, ...[[0], [1], [1]].map((at) => net.g.constant("int64", at))]),
    net.numbers([0], []),
  );
  const places = net.weight(`${name}.position_embedding.weight`, [patches + 1, width]);
  return net.add(net.concat([net.add(zeros, own), rows], 1), places);
}
