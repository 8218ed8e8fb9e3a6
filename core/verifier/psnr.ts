import { AppError } from "../error.ts";

/** 8-bit RGBA, row by row. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  /** u8[height, width, 4] */
  readonly data: Uint8ClampedArray;
}

/** Pixels along the side of a tile: two blocks of JPEG's, one of WebP's. */
const TILE = 16;

/**
 * Peak signal-to-noise ratio of the colours; opacity is not compared.
 * @returns decibels: 10 log10(255^2 / mean squared difference); Infinity for equal images.
 * @throws AppError `shape_mismatch` when sizes differ.
 */
export function psnr(a: Pixels, b: Pixels): number {
  checkSizes(a, b);
  return decibels(meanSquare(a, b, 0, 0, Math.max(a.width, a.height)));
}

/** @param square mean squared difference of 8-bit values. */
export function decibels(square: number): number {
  return 10 * Math.log10(255 ** 2 / square);
}

/**
 * Mean squared differences of the colours, tile by tile, row by row; tiles at the right and at the
 * bottom may be smaller.
 * @throws AppError `shape_mismatch` when sizes differ.
 */
export function squaresByTile(a: Pixels, b: Pixels): number[] {
  checkSizes(a, b);
  const squares: number[] = [];
  for (let top = 0; top < a.height; top += TILE) {
    for (let left = 0; left < a.width; left += TILE) {
      squares.push(meanSquare(a, b, left, top, TILE));
    }
  }
  return squares;
}

/** Over the part of a square that is within the image. */
function meanSquare(a: Pixels, b: Pixels, left: number, top: number, side: number): number {
  const [right, bottom] = [Math.min(left + side, a.width), Math.min(top + side, a.height)];
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let i = 4 * (y * a.width + left); i < 4 * (y * a.width + right); i += 4) {
      for (let k = i; k < i + 3; k++) sum += (a.data[k] - b.data[k]) ** 2;
    }
  }
  return sum / (3 * (right - left) * (bottom - top));
}

function checkSizes(a: Pixels, b: Pixels): void {
  if (a.width === b.width && a.height === b.height && a.data.length === b.data.length) return;
  throw new AppError(
    "shape_mismatch",
    `Cannot compare images: sizes are ${a.width}x${a.height} and ${b.width}x${b.height}`,
  );
}
