import { z } from "zod";

/**
 * What is read of the parts' `config.json`, with the defaults of diffusers' classes; null is a default
 * too. @see test/golden/diffusers_defaults.json.
 */

/** Linear map from a latent as the UNet sees it to RGB in [-1,1]: a preview without the VAE. */
const latentPreview = z.object({
  factors: z.array(z.array(z.number()).length(3)),
  bias: z.array(z.number()).length(3),
});
export type LatentPreview = z.infer<typeof latentPreview>;

const blocks = z.array(z.int().positive()).min(1);

/** `CLIPTextConfig` of transformers. */
export const textEncoderConfig = z.looseObject({ hidden_act: z.string().default("quick_gelu") });

/** `UNet2DConditionModel`. */
export const unetConfig = z.looseObject({
  in_channels: z.int().positive().default(4),
  out_channels: z.int().positive().default(4),
  /** Latent side at the model's native size; not said, it is the pipeline's. */
  sample_size: z.union([z.int().positive(), z.array(z.int().positive()).length(2)]).optional(),
  block_out_channels: blocks.default([320, 640, 1280, 1280]),
  /** Of what the scale of guidance becomes, in a UNet that was distilled to read it (LCM). */
  time_cond_proj_dim: z.int().positive().nullish(),
});

/** `SD3Transformer2DModel`. */
export const sd3Config = z.looseObject({
  in_channels: z.int().positive().default(16),
  patch_size: z.int().positive().default(2),
  /** Latent side at the model's native size. */
  sample_size: z.int().positive().default(128),
  /** Patches along a side that it has places for. */
  pos_embed_max_size: z.int().positive().default(96),
});

/** `FluxTransformer2DModel`. */
export const fluxConfig = z.looseObject({
  /** Of a token, which is a patch of 2 by 2. */
  in_channels: z.int().positive().multipleOf(4).default(64),
});

/** `AutoencoderKL`, and others of its kind. */
export const vaeConfig = z.looseObject({
  _class_name: z.string().default("AutoencoderKL"),
  scaling_factor: z.number().positive().optional(),
  shift_factor: z.number().optional(),
  /** By channel; read only where both are given, as by SDXL's pipeline. */
  latents_mean: z.array(z.number()).optional(),
  latents_std: z.array(z.number().positive()).optional(),
  latent_channels: z.int().positive().default(4),
  force_upcast: z.boolean().default(true),
  /** Pixels along a side that it was trained on, which tiles of a larger image have. */
  sample_size: z.int().min(32).optional().catch(undefined),
  /** Undefined where the file does not say; every SD VAE halves the image at all blocks but one. */
  block_out_channels: blocks.optional(),
  latent_preview: latentPreview.optional(),
});

/** The default of `scaling_factor` by the VAE's class. */
export const SCALING_FACTORS: Readonly<Record<string, number>> = {
  AutoencoderKL: 0.18215,
  AsymmetricAutoencoderKL: 0.18215,
  AutoencoderTiny: 1,
};
