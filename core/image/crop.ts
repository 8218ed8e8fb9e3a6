import { AppError } from "../error.ts";
import type { RgbaImage } from "./image.ts";
import { resize } from "./resize.ts";

/** A part of an image, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The part of an image that a mask is about, with some pixels around it: what "only masked" draws at full
 * size.
 * @param padding pixels on every side, as far as the image goes.
 * @param aspect width over height that it should have, as far as the image allows; its own if left out.
 * @throws AppError `invalid_request` for a mask that is black everywhere.
 */
export function maskedBox(mask: RgbaImage, padding: number, aspect?: number): Box {
  const { width, height, data } = mask;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let i = 0; i < width * height; i++) {
    if (data[4 * i] === 0) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  if (right === 0) {
    const why = "Cannot draw only what is masked: the mask is black everywhere";
    throw new AppError("invalid_request", why, { field: "mask" });
  }
  const x = grown(left - padding, right + padding, width);
  const y = grown(top - padding, bottom + padding, height);
  const own = { left: x.from, top: y.from, width: x.length, height: y.length };
  return aspect === undefined ? own : shaped(own, aspect, mask);
}

/** Within 0 to `limit`. */
function grown(from: number, to: number, limit: number) {
  const start = Math.max(from, 0);
  return { from: start, length: Math.min(to, limit) - start };
}

/** The shorter side grows about its middle, and is moved back into the image. */
function shaped(box: Box, aspect: number, image: Pick<RgbaImage, "width" | "height">): Box {
  const wide = Math.min(Math.max(box.width, Math.round(box.height * aspect)), image.width);
  const high = Math.min(Math.max(box.height, Math.round(box.width / aspect)), image.height);
  const place = (from: number, length: number, to: number, limit: number) =>
    Math.min(Math.max(from - Math.floor((to - length) / 2), 0), limit - to);
  return {
    left: place(box.left, box.width, wide, image.width),
    top: place(box.top, box.height, high, image.height),
    width: wide,
    height: high,
  };
}

export function cropped(image: RgbaImage, { left, top, width, height }: Box): RgbaImage {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 4 * ((top + y) * image.width + left);
    data.set(image.data.subarray(from, from + 4 * width), 4 * y * width);
  }
  return { width, height, data };
}

/**
 * The image with a part drawn anew put back where the mask is white.
 * @param patch of any size: it is brought to the box's.
 * @param mask of the image's size.
 */
export function pasted(image: RgbaImage, box: Box, patch: RgbaImage, mask: RgbaImage): RgbaImage {
  const fitted = resize(patch, box);
  const data = image.data.slice();
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < box.width; x++) {
      const to = 4 * ((box.top + y) * image.width + box.left + x);
      const share = mask.data[to] / 255;
      const from = 4 * (y * box.width + x);
      for (let c = 0; c < 3; c++) {
        data[to + c] = (1 - share) * data[to + c] + share * fitted.data[from + c];
      }
    }
  }
  return { ...image, data };
}
