import type { RgbaImage } from "./image.ts";

/** The level from which a pixel is made anew by a network that knows no shades, as diffusers has it. */
const ANEW = 128;

/** A mask of white and black alone. */
export function hardMask({ width, height, data }: RgbaImage): RgbaImage {
  return { width, height, data: data.map((value) => value >= ANEW ? 255 : 0) };
}

/** An image in [-1, 1], 0 where its mask is white: f32[3, height, width]. @param planes the image. */
export function keptPlanes(planes: Float32Array, { width, height, data }: RgbaImage): Float32Array {
  const pixels = width * height;
  return planes.map((value, i) => data[4 * (i % pixels)] >= ANEW ? 0 : value);
}
