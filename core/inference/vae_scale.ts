import type { ModelConfig } from "../model/mod.ts";

type Scaling = Pick<
  ModelConfig["vae"],
  "scaling_factor" | "shift_factor" | "latents_mean" | "latents_std"
>;

/** From the scale of the UNet to the VAE's own, channel by channel where the VAE is normalized so. */
export function unscaled(
  vae: Scaling,
  latent: Float32Array,
  channels: number,
): Float32Array<ArrayBuffer> {
  const { factor, deviation, mean } = normalization(vae, latent.length / channels);
  return latent.map((value, i) => value * deviation(i) / factor + mean(i));
}

/** The other way. */
export function scaled(
  vae: Scaling,
  latent: Float32Array,
  channels: number,
): Float32Array<ArrayBuffer> {
  const { factor, deviation, mean } = normalization(vae, latent.length / channels);
  return latent.map((value, i) => (value - mean(i)) * factor / deviation(i));
}

/** Of the element at a place. @param plane elements of a channel. */
function normalization(
  { scaling_factor: factor, shift_factor: shift = 0, latents_mean, latents_std }: Scaling,
  plane: number,
) {
  if (!latents_mean || !latents_std) return { factor, deviation: () => 1, mean: () => shift };
  const channel = (i: number) => Math.floor(i / plane);
  return {
    factor,
    deviation: (i: number) => latents_std[channel(i)],
    mean: (i: number) => latents_mean[channel(i)],
  };
}
