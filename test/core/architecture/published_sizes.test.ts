import { expect, test } from "vitest";
import { expectedTensors } from "../../../core/architecture/mod.ts";

/** What is in `config.json` of the published models, from their pages; other fields have no effect. */
const FLUX_DEV = {
  ...{ _class_name: "FluxTransformer2DModel", attention_head_dim: 128, guidance_embeds: true },
  ...{ in_channels: 64, joint_attention_dim: 4096, num_attention_heads: 24, num_layers: 19 },
  ...{ num_single_layers: 38, patch_size: 1, pooled_projection_dim: 768 },
};
const SD35_MEDIUM = {
  ...{ _class_name: "SD3Transformer2DModel", attention_head_dim: 64, caption_projection_dim: 1536 },
  ...{ dual_attention_layers: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], in_channels: 16 },
  ...{ joint_attention_dim: 4096, num_attention_heads: 24, num_layers: 24, out_channels: 16 },
  ...{ patch_size: 2, pooled_projection_dim: 2048, pos_embed_max_size: 384, qk_norm: "rms_norm" },
};
const T5_XXL = {
  ...{ architectures: ["T5EncoderModel"], d_ff: 10_240, d_kv: 64, d_model: 4096, num_heads: 64 },
  ...{ dense_act_fn: "gelu_new", feed_forward_proj: "gated-gelu", is_encoder_decoder: true },
  ...{ is_gated_act: true, num_decoder_layers: 24, num_layers: 24, vocab_size: 32_128 },
};

// As their authors state them: 12 B, 2.5 B, and 4.7 B of T5's 11 B for its encoder.
test.each([
  ["FLUX.1 [dev]", FLUX_DEV, 11.9],
  ["SD 3.5 medium", SD35_MEDIUM, 2.47],
  ["the encoder of T5 v1.1 XXL", T5_XXL, 4.76],
])("%s has as many parameters as its authors state", (_, config, billions) => {
  const shapes = [...expectedTensors(config).values()].map(({ shape }) => shape);
  const count = shapes.reduce((sum, shape) => sum + shape.reduce((all, side) => all * side, 1), 0);
  expect(count / 1e9).toBeCloseTo(billions, 2);
});
