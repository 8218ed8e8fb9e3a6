import { z } from "zod";
import { AppError } from "../error.ts";
import { type ModelFiles, readJson } from "./model_files.ts";

/** Linear map from a latent as the UNet sees it to RGB in [-1,1]: a preview without the VAE. */
const latentPreview = z.object({
  factors: z.array(z.array(z.number()).length(3)),
  bias: z.array(z.number()).length(3),
});
export type LatentPreview = z.infer<typeof latentPreview>;

const modelIndex = z.looseObject({
  _class_name: z.string(),
  force_zeros_for_empty_prompt: z.boolean().default(false),
});

const textEncoderConfig = z.looseObject({ hidden_act: z.string().default("quick_gelu") });

const unetConfig = z.looseObject({
  in_channels: z.number().int().default(4),
  /** Latent side at the model's native size. */
  sample_size: z.union([z.number(), z.array(z.number())]).default(64),
  block_out_channels: z.array(z.number()).default([320, 640, 1280, 1280]),
  /** Width of the guidance embedding of LCM models; null or absent on all others. */
  time_cond_proj_dim: z.number().nullish(),
});

const vaeConfig = z.looseObject({
  scaling_factor: z.number().default(0.18215),
  shift_factor: z.number().nullish(),
  force_upcast: z.boolean().default(false),
  block_out_channels: z.array(z.number()).default([128, 256, 512, 512]),
  latent_preview: latentPreview.optional(),
});

/** The JSON half of a model folder. */
export interface ModelConfig {
  readonly index: z.infer<typeof modelIndex>;
  readonly textEncoder: z.infer<typeof textEncoderConfig>;
  readonly unet: z.infer<typeof unetConfig>;
  readonly vae: z.infer<typeof vaeConfig>;
  /** `scheduler_config.json` as it is; read by `planFromConfig`. */
  readonly scheduler: Readonly<Record<string, unknown>>;
}

/**
 * Reads every configuration of a model folder.
 * @throws AppError `model_not_found` or `model_invalid` naming the file.
 */
export async function readModelConfig(files: ModelFiles): Promise<ModelConfig> {
  return {
    index: await read(files, "model_index.json", modelIndex),
    textEncoder: await readOptional(files, "text_encoder/config.json", textEncoderConfig),
    unet: await readOptional(files, "unet/config.json", unetConfig),
    vae: await readOptional(files, "vae_decoder/config.json", vaeConfig),
    scheduler: await read(
      files,
      "scheduler/scheduler_config.json",
      z.record(z.string(), z.unknown()),
    ),
  };
}

async function readOptional<T>(files: ModelFiles, path: string, schema: z.ZodType<T>): Promise<T> {
  return files.has(path) ? await read(files, path, schema) : schema.parse({});
}

async function read<T>(files: ModelFiles, path: string, schema: z.ZodType<T>): Promise<T> {
  const result = schema.safeParse(await readJson(files, path));
  if (result.success) return result.data;
  const { path: field, message } = result.error.issues[0];
  throw new AppError(
    "model_invalid",
    `Cannot read ${path}: ${field.join(".") || "it"}: ${message}`,
  );
}
