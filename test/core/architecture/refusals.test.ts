import { join } from "node:path";
import { expect, test } from "vitest";
import { architectureOf, partGraphs } from "../../../core/architecture/mod.ts";
import { type IndexedTensor, readTensorIndex } from "../../../core/safetensors/mod.ts";
import { openPartFolder, weightsPath } from "../../../server/parts/part_folder.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden/architectures");

async function part(name: string) {
  const files = await openPartFolder(join(GOLDEN, name));
  const config: Record<string, unknown> = JSON.parse(await files.text("config.json"));
  return { config, tensors: await readTensorIndex(files, weightsPath(files)) };
}

const UNET = "unet-sd1";
const VAE = "vae-sd";
const TEXT = "clip-l-quick-gelu";
const CONTROL = "controlnet-sd1";
const T5 = "t5-gated-gelu";
const SD3 = "sd35-medium-dual";
const FLUX = "flux-dev-guidance";

test.each([
  [UNET, { attention_type: "gated" }, 'attention_type is "gated"'],
  [UNET, { addition_embed_type: "image" }, 'addition_embed_type is "image"'],
  [UNET, { dual_cross_attention: true }, "dual_cross_attention is true"],
  [UNET, { resnet_out_scale_factor: 2 }, "resnet_out_scale_factor is 2"],
  [UNET, { down_block_types: ["AttnDownBlock2D"] }, 'down_block_types.0 is "AttnDownBlock2D"'],
  [UNET, { new_field: 1 }, "new_field is not a field"],
  [UNET, { layers_per_block: [2, 2] }, "layers_per_block has 2 entries, not 4"],
  [UNET, { block_out_channels: [8, 8, 8, 18] }, "not [18,8,3,3]"],
  [UNET, { norm_num_groups: 3 }, "8 channels, which 3 groups do not divide"],
  [UNET, { cross_attention_dim: 13 }, "attn2.to_k.weight is [8,12], not [8,13]"],
  [UNET, { layers_per_block: 3 }, "down_blocks.0.resnets.2.norm1.weight is not among"],
  [UNET, { layers_per_block: 1 }, "up_blocks.0.resnets.1.norm1.weight is [32], not [24]"],
  [VAE, { mid_block_add_attention: false }, "no place for"],
  [VAE, { use_quant_conv: false }, "no place for quant_conv"],
  [VAE, { up_block_types: ["UpDecoderBlock2D"] }, "up_block_types has 1 entries, not 4"],
  [VAE, { down_block_types: ["AttnDownEncoderBlock2D"] }, 'is "AttnDownEncoderBlock2D"'],
  [TEXT, { hidden_act: "relu" }, 'hidden_act is "relu"'],
  [TEXT, { num_hidden_layers: 2 }, "no place for text_model.encoder.layers.2"],
  [TEXT, { num_attention_heads: 3 }, "hidden_size is 16, not a multiple of 3 heads"],
  [TEXT, { sliding_window: 4 }, "sliding_window is not a field"],
  [T5, { feed_forward_proj: "relu" }, 'feed_forward_proj is "relu"'],
  [SD3, { qk_norm: "layer_norm" }, 'qk_norm is "layer_norm"'],
  [SD3, { dual_attention_layers: [] }, "norm1.linear.weight is [216,24], not [144,24]"],
  [FLUX, { axes_dims_rope: [4, 4] }, "axes_dims_rope is [4,4], which is not 12 in all"],
  [FLUX, { guidance_embeds: false }, "no place for time_text_embed.guidance_embedder"],
  [CONTROL, { global_pool_conditions: true }, "global_pool_conditions is true"],
])("%s with %j is refused by name", async (name, change, why) => {
  const { config, tensors } = await part(name);
  const build = () => partGraphs(architectureOf(config), { ...config, ...change }, tensors);
  expect(build).toThrow(why);
});

const unused: IndexedTensor = {
  ...{ name: "extra.weight", dtype: "F32", shape: [1] },
  ...{ path: "model.safetensors", start: 0, end: 4 },
};

test.each([UNET, VAE, TEXT, CONTROL, T5, SD3, FLUX])(
  "%s refuses a tensor that it has no use for",
  async (name) => {
    const { config, tensors } = await part(name);
    const more = new Map([...tensors, [unused.name, unused]]);
    expect(() => partGraphs(architectureOf(config), config, more))
      .toThrow("its configuration has no place for extra.weight");
  },
);

test.each([UNET, VAE, TEXT, CONTROL, T5, SD3, FLUX])(
  "%s refuses a tensor of another type or none",
  async (name) => {
    const { config, tensors } = await part(name);
    const [first] = [...tensors.values()];
    const whole = new Map([...tensors, [first.name, { ...first, dtype: "I64" as const }]]);
    expect(() => partGraphs(architectureOf(config), config, whole)).toThrow(`${first.name} is I64`);
    const less = new Map([...tensors].filter(([key]) => key !== first.name));
    expect(() => partGraphs(architectureOf(config), config, less))
      .toThrow(`${first.name} is not among the checkpoint's tensors`);
  },
);

test.each([
  [{ _class_name: "PixArtTransformer2DModel" }, "PixArtTransformer2DModel"],
  [{ architectures: ["BertModel"] }, "BertModel"],
  [null, "undefined"],
])("architectureOf names the class of %j, which it cannot build", (config, name) => {
  expect(() => architectureOf(config)).toThrow(`its class is ${name}`);
});
