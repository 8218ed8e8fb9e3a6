/**
 * What the published folders of SD 1.5 and SDXL base say of their parts, as far as it shapes a network
 * (stable-diffusion-v1-5/stable-diffusion-v1-5 and stabilityai/stable-diffusion-xl-base-1.0).
 */
const CLIP_L = {
  architectures: ["CLIPTextModel"],
  eos_token_id: 2,
  hidden_act: "quick_gelu",
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  projection_dim: 768,
  vocab_size: 49_408,
};

const CLIP_G = {
  architectures: ["CLIPTextModelWithProjection"],
  eos_token_id: 2,
  hidden_act: "gelu",
  hidden_size: 1280,
  intermediate_size: 5120,
  num_attention_heads: 20,
  num_hidden_layers: 32,
  projection_dim: 1280,
  vocab_size: 49_408,
};

const VAE = {
  _class_name: "AutoencoderKL",
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array(4).fill("DownEncoderBlock2D"),
  up_block_types: Array(4).fill("UpDecoderBlock2D"),
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
};

const SCHEDULER = {
  _class_name: "EulerDiscreteScheduler",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  steps_offset: 1,
  timestep_spacing: "leading",
};

interface FullSizeModel {
  readonly className: string;
  /** By part: its `config.json`. */
  readonly networks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tokenizers: readonly string[];
  readonly scheduler: Readonly<Record<string, unknown>>;
}

const SD15_UNET = {
  _class_name: "UNet2DConditionModel",
  attention_head_dim: 8,
  block_out_channels: [320, 640, 1280, 1280],
  cross_attention_dim: 768,
  down_block_types: [...Array(3).fill("CrossAttnDownBlock2D"), "DownBlock2D"],
  up_block_types: ["UpBlock2D", ...Array(3).fill("CrossAttnUpBlock2D")],
  sample_size: 64,
};

const SD15: FullSizeModel = {
  className: "StableDiffusionPipeline",
  networks: {
    text_encoder: CLIP_L,
    unet: SD15_UNET,
    vae: { ...VAE, scaling_factor: 0.18215 },
  },
  tokenizers: ["tokenizer"],
  scheduler: SCHEDULER,
};

/** A quarter of the width, and groups of as many channels: a sixteenth of the work. */
const QUARTER_UNET = {
  ...SD15_UNET,
  block_out_channels: SD15_UNET.block_out_channels.map((width) => width / 4),
  norm_num_groups: 8,
};

export const FULL_SIZE: Readonly<Record<string, FullSizeModel>> = {
  "sd15": SD15,
  "sd15-quarter": { ...SD15, networks: { ...SD15.networks, unet: QUARTER_UNET } },
  "sdxl": {
    className: "StableDiffusionXLPipeline",
    networks: {
      text_encoder: CLIP_L,
      text_encoder_2: CLIP_G,
      unet: {
        _class_name: "UNet2DConditionModel",
        addition_embed_type: "text_time",
        addition_time_embed_dim: 256,
        attention_head_dim: [5, 10, 20],
        block_out_channels: [320, 640, 1280],
        cross_attention_dim: 2048,
        down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        up_block_types: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        projection_class_embeddings_input_dim: 2816,
        sample_size: 128,
        transformer_layers_per_block: [1, 2, 10],
        use_linear_projection: true,
      },
      vae: { ...VAE, scaling_factor: 0.13025, force_upcast: true },
    },
    tokenizers: ["tokenizer", "tokenizer_2"],
    scheduler: SCHEDULER,
  },
};
