import type { RgbaImage } from "./image.ts";

/** Lobes of Lanczos' kernel. */
const LOBES = 3;

/**
 * The image at another size, by Lanczos' kernel of three lobes, wider where it gets smaller. In double
 * precision and in one order, so that every host has the same pixels: what a receipt commits to follows
 * from them. Libraries have their own fixed-point tables.
 */
export function resize(
  image: RgbaImage,
  { width, height }: Pick<RgbaImage, "width" | "height">,
): RgbaImage {
  if (image.width === width && image.height === height) return image;
  const rows = resampled(image.data, image.width, image.height, width);
  const columns = resampled(transposed(rows, width, image.height), image.height, width, height);
  return { width, height, data: new Uint8ClampedArray(transposed(columns, height, width)) };
}

/** Each row of RGBA at another length: f64[rows, to, 4]. */
function resampled(
  data: ArrayLike<number>,
  from: number,
  rows: number,
  to: number,
): Float64Array {
  const taps = Array.from({ length: to }, (_, x) => tapsAt(x, from, to));
  const result = new Float64Array(4 * rows * to);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < to; x++) {
      const { first, weights } = taps[x];
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) {
          sum += weights[k] * data[4 * (row * from + first + k) + channel];
        }
        result[4 * (row * to + x) + channel] = sum;
      }
    }
  }
  return result;
}

/** Which elements make one of the result, with weights that sum to 1. */
function tapsAt(x: number, from: number, to: number) {
  const scale = Math.max(from / to, 1);
  const centre = (x + 0.5) * from / to;
  const first = Math.max(Math.floor(centre - LOBES * scale), 0);
  const last = Math.min(Math.ceil(centre + LOBES * scale), from);
  const weights = Array.from(
    { length: last - first },
    (_, k) => lanczos((first + k + 0.5 - centre) / scale),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { first, weights: weights.map((weight) => weight / sum) };
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return LOBES * Math.sin(angle) * Math.sin(angle / LOBES) / (angle * angle);
}

/** RGBA by columns: [height, width, 4] to [width, height, 4]. */
function transposed(data: Float64Array, width: number, height: number): Float64Array {
  const result = new Float64Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 4; channel++) {
        result[4 * (x * height + y) + channel] = data[4 * (y * width + x) + channel];
      }
    }
  }
  return result;
}
