import { AppError } from "../error.ts";

/** 8-bit RGBA, row by row. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  /** u8[height, width, 4] */
  readonly data: Uint8ClampedArray;
}

/**
 * Peak signal-to-noise ratio of the colours; opacity is not compared.
 * @returns decibels: 10 log10(255^2 / mean squared difference); Infinity for equal images.
 * @throws AppError `shape_mismatch` when sizes differ.
 */
export function psnr(a: Pixels, b: Pixels): number {
  if (a.width !== b.width || a.height !== b.height || a.data.length !== b.data.length) {
    throw new AppError(
      "shape_mismatch",
      `Cannot compare images: sizes are ${a.width}x${a.height} and ${b.width}x${b.height}`,
    );
  }
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    if (i % 4 !== 3) sum += (a.data[i] - b.data[i]) ** 2;
  }
  return 10 * Math.log10(255 ** 2 * (3 * a.data.length / 4) / sum);
}
