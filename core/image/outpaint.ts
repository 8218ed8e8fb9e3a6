import type { RgbaImage } from "./image.ts";
import { greyImage } from "./mask_blur.ts";

/** Pixels that are added on each side. */
export interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Pixels of the old image along a new margin that are drawn anew as well, so that no seam is left. */
const SEAM = 8;

/** The image with margins that go on as its edges, and the mask that has them drawn anew. */
export function outpainted(
  image: RgbaImage,
  { left, top, right, bottom }: Margins,
): { readonly image: RgbaImage; readonly mask: RgbaImage } {
  const size = { width: image.width + left + right, height: image.height + top + bottom };
  const data = new Uint8ClampedArray(4 * size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    const row = within(y - top, image.height) * image.width;
    for (let x = 0; x < size.width; x++) {
      const from = 4 * (row + within(x - left, image.width));
      data.set(image.data.subarray(from, from + 4), 4 * (y * size.width + x));
    }
  }
  const seam = (margin: number) => margin > 0 ? margin + SEAM : 0;
  const isNew = (x: number, y: number) =>
    x < seam(left) || x >= size.width - seam(right) || y < seam(top) ||
    y >= size.height - seam(bottom);
  const mask = greyImage(
    size,
    (i) => isNew(i % size.width, Math.floor(i / size.width)) ? 255 : 0,
  );
  return { image: { ...size, data }, mask };
}

function within(at: number, length: number): number {
  return Math.min(Math.max(at, 0), length - 1);
}
