import { joinRows } from "../inference/mod.ts";
import type { Source } from "../schedule/mod.ts";
import type { LatentDims } from "./latent_dims.ts";

/**
 * What an inpainting network reads beside the sample: the mask, and the latent of what that keeps, in
 * the order of diffusers' StableDiffusionInpaintPipeline. None where the source has none.
 */
export function maskedInput(
  { mask, kept }: Pick<Source, "mask" | "kept"> = {},
  [channels, height, width]: LatentDims,
): { readonly values: Float32Array; readonly dims: readonly number[] } | undefined {
  if (!mask || !kept) return undefined;
  const values = joinRows([mask.subarray(0, height * width), kept]);
  return { values, dims: [1 + channels, height, width] };
}
