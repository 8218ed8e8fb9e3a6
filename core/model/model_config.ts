import type { z } from "zod";
import { AppError } from "../error.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import { type ModelFiles, readJson } from "./model_files.ts";
import { type ModelIndex, readModelIndex } from "./model_index.ts";
import { configsOf } from "./network_files.ts";
import { type OwnScheduler, readPipelineScheduler, withoutNulls } from "./own_scheduler.ts";
import { SCALING_FACTORS, textEncoderConfig, unetConfig, vaeConfig } from "./part_config.ts";

type Unet = z.infer<typeof unetConfig>;
type Vae = z.infer<typeof vaeConfig>;

/** The JSON half of a model folder, with every default that its pipeline would take. */
export interface ModelConfig {
  readonly index: {
    readonly className: string;
    /** SDXL: an empty negative prompt is an embedding of zeros. */
    readonly zeroesEmptyPrompt: boolean;
  };
  readonly textEncoder: z.infer<typeof textEncoderConfig>;
  readonly unet: Unet & { readonly sample_size: number | readonly number[] };
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
  const [textEncoder, unet, vae, scheduler] = [
    (await readPart(files, "text_encoder", textEncoderConfig)).config,
    await readUnet(files, index, notices),
    await readVae(files, index, notices),
    await readOwnScheduler(files),
  ];
  if (latentChannels(unet) !== vae.latent_channels) throw notItsVae(files, unet, vae);
  return {
    index: pipelineSettings(files, index),
    textEncoder,
    unet,
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

/** Channels of the model's latents: what of {@link readModelConfig} a checker needs. */
export async function readLatentChannels(files: ModelFiles): Promise<number> {
  return latentChannels((await readPart(files, "unet", unetConfig)).config);
}

/**
 * Whether a UNet reads a mask and the latent of what it keeps beside the latent that it denoises: an
 * inpainting model of 9 channels.
 */
export async function readsMask(files: ModelFiles): Promise<boolean> {
  const { in_channels, out_channels } = (await readPart(files, "unet", unetConfig)).config;
  return in_channels === 2 * out_channels + 1;
}

function latentChannels({ in_channels, out_channels }: Pick<Unet, "in_channels" | "out_channels">) {
  return in_channels === 2 * out_channels + 1 ? out_channels : in_channels;
}

/** A null in `model_index.json` is no default: diffusers takes it for false. */
function pipelineSettings(files: ModelFiles, { className, json }: ModelIndex) {
  if (json.requires_aesthetics_score === true) {
    throw invalid(files, "model_index.json", "it is an SDXL refiner, which begins no image");
  }
  const { force_zeros_for_empty_prompt: zeroes = true } = json;
  if (zeroes !== null && typeof zeroes !== "boolean") {
    throw invalid(files, "model_index.json", "force_zeros_for_empty_prompt is not true or false");
  }
  return { className, zeroesEmptyPrompt: zeroes ?? false };
}

function isXl({ parts }: ModelIndex): boolean {
  return parts.includes("text_encoder_2");
}

async function readUnet(files: ModelFiles, index: ModelIndex, notices: string[]) {
  const { path, config } = await readPart(files, "unet", unetConfig);
  const side = isXl(index) ? 128 : 64;
  if (path === undefined) {
    notices.push(
      `${files.name} has no unet/config.json: it was taken for a UNet of ${config.in_channels} ` +
        `channels and ${LATENT_SCALE * side}x${LATENT_SCALE * side} pixels`,
    );
  }
  const { sample_size = side } = config;
  return { ...config, sample_size: isOutdated(config) ? side : sample_size };
}

/** Before diffusers 0.9 the first SD configs said 32, and the pipeline takes 64 for it. */
function isOutdated({ _diffusers_version: version, sample_size }: Unet): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(String(version)) ?? [];
  if (major === undefined || Number(major) > 0 || Number(minor) >= 9) return false;
  return typeof sample_size === "number" && sample_size < 64;
}

async function readVae(files: ModelFiles, index: ModelIndex, notices: string[]) {
  const { path, config } = await readPart(files, "vae_decoder", vaeConfig);
  if (path === undefined && isXl(index)) {
    throw invalid(
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
    throw invalid(files, where, `${config._class_name} without scaling_factor is unknown`);
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
      throw invalid(files, path, `${key} is ${length} numbers long, must be ${channels}`);
    }
  }
  const scale = blocks === undefined ? LATENT_SCALE : 2 ** (blocks.length - 1);
  if (scale !== LATENT_SCALE) {
    const why = `makes ${scale} pixels of a latent's side, and only ${LATENT_SCALE} are supported`;
    throw invalid(files, path, `block_out_channels ${why}`);
  }
}

function notItsVae(files: ModelFiles, unet: Unet, vae: Vae): AppError {
  const what = unet.in_channels > vae.latent_channels
    ? "instruction models read an image as well, which is not supported"
    : "they belong to different models";
  return invalid(
    files,
    "unet/config.json",
    `in_channels is ${unet.in_channels} and the VAE's latent_channels ${vae.latent_channels}: ${what}`,
  );
}

/** @returns the defaults, and no path, where there is no such file. */
async function readPart<T>(
  files: ModelFiles,
  part: string,
  schema: z.ZodType<T>,
): Promise<{ readonly path?: string; readonly config: T }> {
  const path = configsOf(part).find((candidate) => files.has(candidate));
  if (path === undefined) return { config: schema.parse({}) };
  const json = await readJson(files, path);
  const object = typeof json === "object" && json !== null && !Array.isArray(json);
  const result = schema.safeParse(
    object ? withoutNulls(json as Readonly<Record<string, unknown>>) : json,
  );
  if (result.success) return { path, config: result.data };
  const { path: field, message } = result.error.issues[0];
  throw invalid(files, path, `${field.join(".") || "it"}: ${message}`);
}

function invalid(files: ModelFiles, path: string, why: string): AppError {
  return new AppError("model_invalid", `Cannot use ${path} of ${files.name}: ${why}`);
}
