import type { z } from "zod";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { ModelFiles } from "./model_files.ts";
import { isXl, type ModelIndex, readModelIndex, transformerFamily } from "./model_index.ts";
import { fluxConfig, sd3Config, unetConfig } from "./part_config.ts";
import { readPart } from "./read_part.ts";

type UnetConfig = z.infer<typeof unetConfig>;

/** What of a UNet's configuration, or of a transformer's, a request's size is held against. */
export interface DenoiserConfig {
  /** Channels of the latents that it denoises. */
  readonly latentChannels: number;
  /** The latent's side, or height and width, at the model's native size. */
  readonly sampleSize: number | readonly number[];
  /** That both sides of a latent have to be multiples of. */
  readonly multiple: number;
  /** Of a latent's side, where there is a limit. */
  readonly largest?: number;
}

/** Channels of the model's latents: what of {@link readModelConfig} a checker needs. */
export async function readLatentChannels(files: ModelFiles): Promise<number> {
  return (await readDenoiser(files, await readModelIndex(files), [])).latentChannels;
}

/**
 * Whether a UNet reads a mask and the latent of what it keeps beside the latent that it denoises: an
 * inpainting model of 9 channels.
 */
export async function readsMask(files: ModelFiles): Promise<boolean> {
  if (transformerFamily(await readModelIndex(files))) return false;
  const { in_channels, out_channels } = (await readPart(files, "unet", unetConfig)).config;
  return in_channels === 2 * out_channels + 1;
}

/**
 * Whether guidance puts two predictions together at each step. What was distilled from guidance (FLUX, LCM)
 * makes one, and reads the scale if it reads anything of it.
 */
export async function isGuided(files: ModelFiles): Promise<boolean> {
  const family = transformerFamily(await readModelIndex(files));
  if (family) return family !== "flux";
  return !(await readPart(files, "unet", unetConfig)).config.time_cond_proj_dim;
}

/** Of a UNet or a transformer. @param notices what is taken for granted is added to these. */
export async function readDenoiser(
  files: ModelFiles,
  index: ModelIndex,
  notices: string[],
): Promise<DenoiserConfig> {
  const family = transformerFamily(index);
  switch (family) {
    case undefined:
      return await readUnet(files, index, notices);
    case "sd3": {
      const { config } = await readPart(files, "transformer", sd3Config);
      const { in_channels: latentChannels, sample_size: sampleSize, patch_size: multiple } = config;
      const largest = config.pos_embed_max_size * multiple;
      return { latentChannels, sampleSize, multiple, largest };
    }
    case "flux": {
      const { config } = await readPart(files, "transformer", fluxConfig);
      return { latentChannels: config.in_channels / 4, sampleSize: FLUX_SAMPLE_SIZE, multiple: 2 };
    }
    default:
      return family satisfies never;
  }
}

/** `default_sample_size` of diffusers' FluxPipeline. */
const FLUX_SAMPLE_SIZE = 128;

async function readUnet(
  files: ModelFiles,
  index: ModelIndex,
  notices: string[],
): Promise<DenoiserConfig> {
  const { path, config } = await readPart(files, "unet", unetConfig);
  const side = isXl(index) ? 128 : 64;
  if (path === undefined) {
    notices.push(
      `${files.name} has no unet/config.json: it was taken for a UNet of ${config.in_channels} ` +
        `channels and ${LATENT_SCALE * side}x${LATENT_SCALE * side} pixels`,
    );
  }
  const { sample_size = side } = config;
  return {
    latentChannels: latentChannels(config),
    sampleSize: isOutdated(config) ? side : sample_size,
    // Every block but the last halves the latent; an exported graph doubles it by fixed factors, and
    // cannot put together again what an odd side was halved to.
    multiple: 2 ** (config.block_out_channels.length - 1),
  };
}

/** Before diffusers 0.9 the first SD configs said 32, and the pipeline takes 64 for it. */
function isOutdated({ _diffusers_version: version, sample_size }: UnetConfig): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(String(version)) ?? [];
  if (major === undefined || Number(major) > 0 || Number(minor) >= 9) return false;
  return typeof sample_size === "number" && sample_size < 64;
}

function latentChannels({ in_channels, out_channels }: UnetConfig): number {
  return in_channels === 2 * out_channels + 1 ? out_channels : in_channels;
}
