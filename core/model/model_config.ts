import type { z } from "zod";
import { AppError } from "../error.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import { type DenoiserConfig, readDenoiser, readsMask } from "./denoiser_config.ts";
import type { ModelFiles } from "./model_files.ts";
import {
  isXl,
  type ModelIndex,
  readModelIndex,
  type TransformerFamily,
  transformerFamily,
} from "./model_index.ts";
import { type OwnScheduler, readPipelineScheduler } from "./own_scheduler.ts";
import { SCALING_FACTORS, textEncoderConfig, vaeConfig } from "./part_config.ts";
import { invalidConfig, readPart } from "./read_part.ts";

type Vae = z.infer<typeof vaeConfig>;

/** The JSON half of a model folder, with every default that its pipeline would take. */
export interface ModelConfig {
  readonly index: {
    readonly className: string;
    /** SDXL: an empty negative prompt is an embedding of zeros. */
    readonly zeroesEmptyPrompt: boolean;
    /** Where a transformer denoises in place of a UNet. */
    readonly transformer: TransformerFamily | undefined;
  };
  readonly textEncoder: z.infer<typeof textEncoderConfig>;
  readonly denoiser: DenoiserConfig;
  readonly vae: Vae & { readonly scaling_factor: number };
  /** `scheduler_config.json` as the pipeline uses it; read by `planFromConfig`. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** Sentences for the user: what the folder does not say, and what was taken instead. */
  readonly notices: readonly string[];
}

/**
 * Reads every configuration of a model folder.
 * @throws AppError `model_not_found` or `model_invalid` naming the file.
 */
export async function readModelConfig(files: ModelFiles): Promise<ModelConfig> {
  const index = await readModelIndex(files);
  const notices = [...files.notices ?? []];
  if (index.inferred) {
    notices.push(`${files.name} has no model_index.json: it was taken for ${index.className}`);
  }
  const [textEncoder, denoiser, vae, scheduler] = [
    (await readPart(files, "text_encoder", textEncoderConfig)).config,
    await readDenoiser(files, index, notices),
    await readVae(files, index, notices),
    await readOwnScheduler(files),
  ];
  if (denoiser.latentChannels !== vae.latent_channels) throw notItsVae(files, index, denoiser, vae);
  return {
    index: pipelineSettings(files, index),
    textEncoder,
    denoiser,
    vae,
    scheduler: scheduler.config,
    notices: [...notices, ...scheduler.notices],
  };
}

/** The model's scheduler, and as `_inpaints` whether a run with a mask leaves that to the network. */
export async function readOwnScheduler(files: ModelFiles): Promise<OwnScheduler> {
  const own = await readPipelineScheduler(files);
  return await readsMask(files) ? { ...own, config: { ...own.config, _inpaints: true } } : own;
}

/** A null in `model_index.json` is no default: diffusers takes it for false. */
function pipelineSettings(files: ModelFiles, index: ModelIndex) {
  const { className, json } = index;
  const transformer = transformerFamily(index);
  if (json.requires_aesthetics_score === true) {
    throw invalidConfig(files, "model_index.json", "it is an SDXL refiner, which begins no image");
  }
  const { force_zeros_for_empty_prompt: zeroes = true } = json;
  if (zeroes !== null && typeof zeroes !== "boolean") {
    throw invalidConfig(
      files,
      "model_index.json",
      "force_zeros_for_empty_prompt is not true or false",
    );
  }
  return { className, zeroesEmptyPrompt: zeroes ?? false, transformer };
}

async function readVae(files: ModelFiles, index: ModelIndex, notices: string[]) {
  const { path, config } = await readPart(files, "vae_decoder", vaeConfig);
  if (path === undefined && isXl(index)) {
    throw invalidConfig(
      files,
      "vae_decoder/config.json",
      "it is missing, and with it the scaling_factor of SDXL's latents. Add the vae/config.json " +
        "of the model that this one was exported from",
    );
  }
  const where = path ?? "vae_decoder/config.json";
  checkVae(files, where, config);
  const scaling_factor = config.scaling_factor ?? SCALING_FACTORS[config._class_name];
  if (scaling_factor === undefined) {
    throw invalidConfig(files, where, `${config._class_name} without scaling_factor is unknown`);
  }
  if (config.scaling_factor === undefined && (path === undefined || isXl(index))) {
    const what = path === undefined ? `has no ${where}` : `has no scaling_factor in ${where}`;
    notices.push(`${files.name} ${what}: ${scaling_factor} was taken, diffusers' default`);
  }
  return { ...config, scaling_factor };
}

function checkVae(files: ModelFiles, path: string, config: Vae): void {
  const { latent_channels: channels, block_out_channels: blocks } = config;
  for (const key of ["latents_mean", "latents_std"] as const) {
    const length = config[key]?.length ?? channels;
    if (length !== channels) {
      throw invalidConfig(files, path, `${key} is ${length} numbers long, must be ${channels}`);
    }
  }
  const scale = blocks === undefined ? LATENT_SCALE : 2 ** (blocks.length - 1);
  if (scale !== LATENT_SCALE) {
    const why = `makes ${scale} pixels of a latent's side, and only ${LATENT_SCALE} are supported`;
    throw invalidConfig(files, path, `block_out_channels ${why}`);
  }
}

function notItsVae(
  files: ModelFiles,
  index: ModelIndex,
  { latentChannels: channels }: DenoiserConfig,
  vae: Vae,
): AppError {
  const transformer = transformerFamily(index);
  const path = transformer ? "transformer/config.json" : "unet/config.json";
  const what = transformer || channels < vae.latent_channels
    ? "they belong to different models, or it reads an image as well, which is not supported"
    : "instruction models read an image as well, which is not supported";
  const why = `it is of latents of ${channels} channels, and the VAE's latent_channels is ` +
    `${vae.latent_channels}: ${what}`;
  return invalidConfig(files, path, why);
}
