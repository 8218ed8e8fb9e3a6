import { describe, expect, test } from "vitest";
import { architectureOf, partGraphs } from "../../../core/architecture/mod.ts";
import { singleFileModel, type SingleFileOptions } from "../../../core/checkpoint/mod.ts";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import {
  clipL,
  indexOf,
  ldmUnet,
  ldmVae,
  openClip,
  prefixed,
  refiner,
  sd1,
  SD1_UNET,
  sd2,
  SD2_UNET,
  sdxl,
  SDXL_UNET,
  type Shapes,
} from "../../fixtures/ldm_checkpoint.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const open = (
  shapes: Shapes,
  metadata: Readonly<Record<string, string>> = {},
  options: SingleFileOptions = {},
) => singleFileModel({ tensors: indexOf(shapes), metadata }, "model.safetensors", options);

// Fields of the config.json that runwayml/stable-diffusion-v1-5, stabilityai/stable-diffusion-2-1 and
// stabilityai/stable-diffusion-xl-base-1.0 published.
const SD_BLOCKS = {
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: [
    ...["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "DownBlock2D",
  ],
  layers_per_block: 2,
  up_block_types: [
    "UpBlock2D",
    ...["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
  ],
};
const SD1_UNET_CONFIG = {
  ...SD_BLOCKS,
  ...{ attention_head_dim: 8, cross_attention_dim: 768, in_channels: 4, sample_size: 64 },
};
const SD2_UNET_CONFIG = {
  ...SD_BLOCKS,
  ...{ attention_head_dim: [5, 10, 20, 20], cross_attention_dim: 1024, in_channels: 4 },
  ...{ use_linear_projection: true, sample_size: 96 },
};
const SDXL_UNET_CONFIG = {
  ...{ addition_embed_type: "text_time", addition_time_embed_dim: 256 },
  ...{ attention_head_dim: [5, 10, 20], block_out_channels: [320, 640, 1280] },
  ...{ cross_attention_dim: 2048, in_channels: 4, layers_per_block: 2, sample_size: 128 },
  down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
  up_block_types: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
  ...{ projection_class_embeddings_input_dim: 2816, transformer_layers_per_block: [1, 2, 10] },
  use_linear_projection: true,
};
const CLIP_L = {
  ...{ hidden_act: "quick_gelu", hidden_size: 768, intermediate_size: 3072 },
  ...{ num_attention_heads: 12, num_hidden_layers: 12, vocab_size: 49_408, eos_token_id: 2 },
};

describe("the published models", () => {
  test.each([
    ["SD 1.5", sd1(), "sd1", "StableDiffusionPipeline", SD1_UNET_CONFIG],
    [
      "SD 1.5 inpainting",
      sd1({ ...SD1_UNET, in_channels: 9 }),
      "sd1",
      "StableDiffusionInpaintPipeline",
      { ...SD1_UNET_CONFIG, in_channels: 9 },
    ],
    ["SD 2.1", sd2(), "sd2", "StableDiffusionPipeline", SD2_UNET_CONFIG],
    [
      "SD 2 inpainting",
      sd2({ ...SD2_UNET, in_channels: 9 }),
      "sd2",
      "StableDiffusionInpaintPipeline",
      { ...SD2_UNET_CONFIG, in_channels: 9, sample_size: 64 },
    ],
    ["SDXL base", sdxl(), "sdxl", "StableDiffusionXLPipeline", SDXL_UNET_CONFIG],
    [
      "SDXL inpainting",
      sdxl({ ...SDXL_UNET, in_channels: 9 }),
      "sdxl",
      "StableDiffusionXLInpaintPipeline",
      { ...SDXL_UNET_CONFIG, in_channels: 9 },
    ],
  ])("%s is told by its names and shapes", (_, shapes, family, pipeline, unet) => {
    const model = open(shapes);
    expect(model.family).toBe(family);
    expect(model.modelIndex._class_name).toBe(pipeline);
    expect(model.parts.unet.config).toMatchObject(unet);
    expect(model.parts.vae.config).toMatchObject({
      ...{ block_out_channels: [128, 256, 512, 512], latent_channels: 4, layers_per_block: 2 },
      scaling_factor: family === "sdxl" ? 0.13025 : 0.18215,
    });
  });

  test.each([["SD 1.5", sd1()], ["SD 2.1", sd2()], ["SDXL base", sdxl()]])(
    "%s has every tensor that its graphs take, of the right shape, and no other",
    (_, shapes) => {
      for (const { config, tensors } of Object.values(open(shapes).parts)) {
        const graphs = partGraphs(architectureOf(config), config, tensors);
        expect(Object.keys(graphs).length).toBeGreaterThan(0);
      }
    },
  );

  // UNets and VAE as published. Text: 16 a layer, 4 around them, and one projection of SDXL's second.
  test("parts have as many tensors as the published ones", () => {
    const sizes = (shapes: Shapes) =>
      Object.entries(open(shapes).parts).map(([part, { tensors }]) => [part, tensors.size]);
    const first = { text_encoder: 196, unet: 686, vae: 248 };
    expect(Object.fromEntries(sizes(sd1()))).toEqual(first);
    expect(Object.fromEntries(sizes(sd2()))).toEqual({ ...first, text_encoder: 372 });
    expect(Object.fromEntries(sizes(sdxl())))
      .toEqual({ ...first, text_encoder_2: 517, unet: 1680 });
  });

  test("text encoders have the published configurations", () => {
    expect(open(sd1()).parts.text_encoder.config).toMatchObject(CLIP_L);
    // Of 24 layers in the file the last is not used.
    expect(open(sd2()).parts.text_encoder.config).toMatchObject({
      ...{ hidden_act: "gelu", hidden_size: 1024, intermediate_size: 4096 },
      ...{ num_attention_heads: 16, num_hidden_layers: 23 },
    });
    const { text_encoder, text_encoder_2 } = open(sdxl()).parts;
    expect(text_encoder.config).toMatchObject(CLIP_L);
    expect(text_encoder_2.config).toMatchObject({
      ...{ architectures: ["CLIPTextModelWithProjection"], hidden_act: "gelu", hidden_size: 1280 },
      ...{ num_attention_heads: 20, num_hidden_layers: 32, projection_dim: 1280 },
    });
  });

  test("prompts are filled up as each encoder was trained", () => {
    expect(open(sd1()).tokenizers.tokenizer.pad_token).toBe("<|endoftext|>");
    expect(open(sd2()).tokenizers.tokenizer.pad_token).toBe("!");
    const { tokenizer, tokenizer_2 } = open(sdxl()).tokenizers;
    expect([tokenizer.pad_token, tokenizer_2.pad_token]).toEqual(["<|endoftext|>", "!"]);
    expect(open(sdxl()).modelIndex.force_zeros_for_empty_prompt).toBe(true);
  });
});

const MARK = { v_pred: [0] };

describe("what the network predicts", () => {
  test.each<[string, Shapes, Record<string, string>, object]>([
    ["nothing said", sdxl(), {}, { prediction_type: "epsilon" }],
    ["v_pred", { ...sdxl(), ...MARK }, {}, { prediction_type: "v_prediction" }],
    [
      "v_pred and ztsnr",
      { ...sdxl(), ...MARK, ztsnr: [0] },
      {},
      {
        prediction_type: "v_prediction",
        rescale_betas_zero_snr: true,
        timestep_spacing: "trailing",
      },
    ],
    [
      "ztsnr alone, as ComfyUI takes it",
      { ...sdxl(), ztsnr: [0] },
      {},
      { prediction_type: "epsilon", rescale_betas_zero_snr: false },
    ],
    ["modelspec", sd1(), { "modelspec.prediction_type": "v" }, { prediction_type: "v_prediction" }],
    [
      "a mark over the notes",
      { ...sdxl(), ...MARK },
      { "modelspec.prediction_type": "epsilon" },
      { prediction_type: "v_prediction" },
    ],
    [
      "kohya's notes",
      sd2(),
      { ss_base_model_version: "sd_v2_v", ss_zero_terminal_snr: "True" },
      { prediction_type: "v_prediction", rescale_betas_zero_snr: true },
    ],
    [
      "modelspec's architecture",
      sd2(),
      { "modelspec.architecture": "stable-diffusion-v2-512" },
      { prediction_type: "epsilon" },
    ],
    ["SD 2, nothing said", sd2(), {}, { prediction_type: "v_prediction" }],
    ["SD 2 inpainting", sd2({ ...SD2_UNET, in_channels: 9 }), {}, { prediction_type: "epsilon" }],
  ])("is read: %s", (_, shapes, metadata, scheduler) => {
    const model = open(shapes, metadata);
    expect(model.scheduler).toMatchObject(scheduler);
    expect(planFromConfig(model.scheduler, 4).rows.length).toBe(4);
  });

  test("is what the caller says, and SD 2's size goes with it", () => {
    const base = open(sd2(), {}, { prediction: "epsilon" });
    expect(base.scheduler.prediction_type).toBe("epsilon");
    expect(base.parts.unet.config.sample_size).toBe(64);
    expect(base.notices).toEqual([]);
  });

  test("of SD 2 is what is likely, with a notice", () => {
    const model = open(sd2(), {}, { likelyPrediction: "epsilon" });
    expect(model.scheduler.prediction_type).toBe("epsilon");
    expect(model.notices).toEqual([
      "model.safetensors does not say what its network predicts: epsilon was taken",
    ]);
  });

  test("a given scheduler is taken, with what the file says", () => {
    const scheduler = { _class_name: "DDIMScheduler", prediction_type: "sample" };
    const options = { configs: { scheduler } };
    expect(open(sd2(), {}, options).scheduler).toEqual(scheduler);
    expect(open({ ...sd1(), ...MARK }, {}, options).scheduler)
      .toEqual({ ...scheduler, prediction_type: "v_prediction" });
  });

  test.each([
    [{ ...sdxl(), edm_mean: [1], edm_std: [1] }, {}, "edm_mean, edm_std say that"],
    [{ ...sdxl(), "edm_vpred.sigma_max": [] }, {}, "edm_vpred.sigma_max say that"],
    [sd1(), { "modelspec.prediction_type": "x0" }, "modelspec.prediction_type is x0"],
    [sd1(), { "modelspec.prediction_type": "constructor" }, "prediction_type is constructor"],
  ])("is refused by name where no plan can be made: %#", (shapes, metadata, why) => {
    expect(() => open(shapes, metadata)).toThrow(why);
  });
});

test("a UNet whose layers have other depths is read layer by layer, as SSD-1B's", () => {
  const name = (block: number, depth: number) =>
    `model.diffusion_model.input_blocks.${block}.1.transformer_blocks.${depth}.`;
  const pruned = Object.fromEntries(
    Object.entries(sdxl()).filter(([key]) => !key.startsWith(name(8, 9))),
  );
  const { config, tensors } = open(pruned).parts.unet;
  expect(config.transformer_layers_per_block).toEqual([1, 2, [10, 9]]);
  expect(config.reverse_transformer_layers_per_block).toEqual([10, 2, 0]);
  expect(Object.keys(partGraphs("UNet2DConditionModel", config, tensors))).toEqual(["unet"]);
});

test("the first files leave out text_model.", () => {
  const short = Object.fromEntries(
    Object.entries(sd1()).map(([name, shape]) => [name.replace("text_model.", ""), shape]),
  );
  expect([...open(short).parts.text_encoder.tensors.keys()])
    .toEqual([...open(sd1()).parts.text_encoder.tensors.keys()]);
});

test("a VAE whose attention has diffusers' names is read, as some converters wrote it", () => {
  const mixed = Object.fromEntries(
    Object.entries(sd1()).map(([name, shape]) => [
      name.replace(/\.attn_1\.([qkv])\./, ".attn_1.to_$1.").replace(".proj_out.", ".to_out.0."),
      shape,
    ]).filter(([name]) => String(name).startsWith("first_stage_model.")),
  );
  const file = { ...without(sd1(), "first_stage_model."), ...mixed };
  expect(open(file).parts.vae.tensors.keys().toArray().toSorted())
    .toEqual(open(sd1()).parts.vae.tensors.keys().toArray().toSorted());
});

test("a UNet by itself is a model when its other parts come from elsewhere", () => {
  const elsewhere = ["vae", "text_encoder", "text_encoder_2"];
  const inFull = open(prefixed("model.diffusion_model.", ldmUnet(SDXL_UNET)), {}, { elsewhere });
  const bare = open(ldmUnet(SDXL_UNET), {}, { elsewhere });
  expect(Object.keys(bare.parts)).toEqual(["unet"]);
  expect(bare.parts.unet.config).toEqual(inFull.parts.unet.config);
  expect([...bare.parts.unet.tensors.keys()]).toEqual([...inFull.parts.unet.tensors.keys()]);
});

test("tensors of a LoRA beside a model are left out, with a notice", () => {
  const model = open({ ...sd1(), "lora_unet_out.lora_up.weight": [4, 4] });
  expect(model.notices).toEqual([
    "model.safetensors has 1 tensors of a LoRA beside the model: not used",
  ]);
});

function expectRefusal(shapes: Shapes, why: string): void {
  expect(thrownBy(() => open(shapes))).toMatchObject({
    code: "model_invalid",
    message: expect.stringMatching(/^Cannot use the model model\.safetensors: ./),
  });
  expect(() => open(shapes)).toThrow(why);
}

const without = (shapes: Shapes, prefix: string): Shapes =>
  Object.fromEntries(Object.entries(shapes).filter(([name]) => !name.startsWith(prefix)));

describe("what is no model is refused by name", () => {
  test.each<[string, Shapes, string]>([
    [
      "a UNet alone",
      ldmUnet(SDXL_UNET),
      "it holds only the UNet of SDXL, without text_encoder, text_encoder_2, vae",
    ],
    ["no VAE", without(sd1(), "first_stage_model."), "it is Stable Diffusion 1.x without vae."],
    ["a VAE", ldmVae(), "it is a VAE alone"],
    ["a VAE of a checkpoint", prefixed("first_stage_model.", ldmVae()), "it is a VAE alone"],
    ["a VAE of diffusers", { "decoder.mid_block.resnets.0.norm1.weight": [4] }, "a VAE alone"],
    ["a text encoder", clipL(), "it is a text encoder alone"],
    ["an open_clip encoder", openClip(64, 1), "it is a text encoder alone"],
    ["T5", { "encoder.block.0.layer.0.layer_norm.weight": [8] }, "it is a text encoder alone"],
    ["kohya's LoRA", { "lora_unet_out.lora_down.weight": [4, 4] }, "it is a LoRA"],
    ["PEFT's LoRA", { "unet.mid_block.attentions.0.proj_in.lora_A.weight": [4, 4] }, "is a LoRA"],
    ["an older LoRA", { "unet.x.processor.to_q_lora.down.weight": [4, 4] }, "it is a LoRA"],
    ["a LoHa", { "lora_te_x.hada_w1_a": [4, 4] }, "it is a LoRA"],
    ["a ControlNet", { "control_model.input_hint_block.0.weight": [4, 4] }, "it is a ControlNet"],
    ["a ControlNet beside its model", { ...sd1(), "control_model.out": [1] }, "is a ControlNet"],
    [
      "a ControlNet of diffusers",
      { "controlnet_cond_embedding.conv_in.weight": [4], "mid_block.x": [1] },
      "it is a ControlNet",
    ],
    ["an embedding", { emb_params: [4, 768] }, "it is a textual inversion"],
    ["an SDXL embedding", { clip_l: [4, 768], clip_g: [4, 1280] }, "it is a textual inversion"],
    ["an IP-Adapter", { "image_proj.proj.weight": [4, 4] }, "it is an IP-Adapter"],
    ["a UNet of diffusers", { "mid_block.resnets.0.conv1.weight": [4] }, "in diffusers' names"],
    [
      "SD3",
      { "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": [4, 4] },
      "it is SD3, and its names are not mapped",
    ],
    ["FLUX", { "double_blocks.0.img_attn.qkv.weight": [4, 4] }, "it is FLUX, and its names"],
    ["an upscaler", { "model.0.weight": [4, 3, 3, 3] }, "it is a network that enlarges images"],
    ["something else", { a: [1], b: [1], c: [1], d: [1] }, "no known model: a, b, c and 1 more"],
    ["nothing", {}, "it has no tensors"],
    ["the refiner", refiner(), "it is an SDXL refiner"],
    ["depth", sd2({ ...SD2_UNET, in_channels: 5 }), "5 input channels and reads the depth"],
    ["instructions", sd1({ ...SD1_UNET, in_channels: 8 }), "8 input channels and edits images"],
    ["unCLIP", sd2({ ...SD2_UNET, adm_in_channels: 2048 }), "it is SD 2.1 unCLIP"],
  ])("%s", (_, shapes, why) => expectRefusal(shapes, why));
});

describe("what does not fit is refused by name", () => {
  const unet = (name: string) => `model.diffusion_model.${name}`;
  test.each<[string, Shapes, string]>([
    ["a name beside the parts", { ...sd1(), "new_part.weight": [1] }, "no place for new_part"],
    ["one of the UNet", { ...sd1(), [unet("input_blocks.1.2.a")]: [1] }, "input_blocks.1.2.a"],
    [
      "one of the VAE",
      { ...sd1(), "first_stage_model.decoder.temporal.a": [1] },
      "no place for first_stage_model.decoder.temporal.a",
    ],
    [
      "one of a text encoder",
      { ...sd1(), "cond_stage_model.transformer.vision_model.a": [1] },
      "no place for cond_stage_model.transformer.vision_model.a",
    ],
    [
      "one of open_clip",
      { ...sdxl(), "conditioner.embedders.1.model.visual.a": [1] },
      "no place for conditioner.embedders.1.model.visual.a",
    ],
    ["no way out", without(sd1(), unet("out.2")), "out.2.weight is not among its tensors"],
    ["no text", sd1({ ...SD1_UNET, transformer_depth: [0, 0, 0, 0], middle_depth: 0 }), "no text"],
    [
      "another text encoder",
      sd1({ ...SD1_UNET, context_dim: 640 }),
      "its UNet reads 640 numbers a token, its text encoders give 768",
    ],
    [
      "SD 1 with SD 2's encoder",
      { ...sd2(SD1_UNET) },
      "SD 2's or SDXL's text encoder with the UNet of SD 1.x",
    ],
    [
      "q, k and v",
      { ...sd2(), "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_bias": [4] },
      "in_proj_bias has 4 rows, which are not q, k and v",
    ],
    [
      "a name of JavaScript's objects",
      { ...sd2(), "cond_stage_model.model.constructor": [4] },
      "no place for cond_stage_model.model.constructor",
    ],
    [
      "a tensor twice",
      {
        ...sd1(),
        "cond_stage_model.transformer.embeddings.token_embedding.weight": [49_408, 768],
      },
      "which it has already",
    ],
  ])("%s", (_, shapes, why) => expectRefusal(shapes, why));
});
