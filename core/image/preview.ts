import type { LatentPreview } from "../model/mod.ts";
import { type RgbaImage, toRgba } from "./image.ts";

/**
 * A small picture of a latent without the VAE: each channel's weight in red, green and blue, as
 * fitted when the model was made. One pixel for each latent position.
 * @param latent f32[channels, height, width]
 */
export function previewLatent(
  { factors, bias }: LatentPreview,
  latent: Float32Array,
  width: number,
  height: number,
): RgbaImage {
  const pixels = width * height;
  const planes = new Float32Array(3 * pixels);
  for (let color = 0; color < 3; color++) {
    for (let i = 0; i < pixels; i++) {
      let sum = bias[color];
      for (let c = 0; c < factors.length; c++) sum += factors[c][color] * latent[c * pixels + i];
      planes[color * pixels + i] = sum;
    }
  }
  return toRgba(planes, width, height);
}
