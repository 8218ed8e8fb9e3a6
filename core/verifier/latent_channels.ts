import { type ModelFiles, readJson } from "../model/mod.ts";

/** Channels of the model's latents. */
export async function channelsOf(files: ModelFiles): Promise<number> {
  const config = files.has("unet/config.json") ? await readJson(files, "unet/config.json") : {};
  const channels = (config as { readonly in_channels?: unknown }).in_channels;
  return typeof channels === "number" ? channels : 4;
}
