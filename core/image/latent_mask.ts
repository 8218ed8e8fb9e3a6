import { roundHalf } from "../half.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { RgbaImage } from "./image.ts";

/**
 * The mask at each position of the latent, the same on all channels, in float16: of each 8 by 8 pixels the
 * first, as diffusers samples it.
 */
export function latentMask(
  { width, data }: RgbaImage,
  [channels, rows, columns]: readonly [channels: number, height: number, width: number],
): Float32Array<ArrayBuffer> {
  const plane = rows * columns;
  return roundHalf(Float32Array.from({ length: channels * plane }, (_, i) => {
    const [y, x] = [Math.floor(i % plane / columns), i % columns];
    return data[4 * LATENT_SCALE * (y * width + x)] / 255;
  }));
}
