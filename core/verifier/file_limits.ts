import type { ImageFormat } from "../image/mod.ts";
import type { Receipt } from "../transcript/mod.ts";

/**
 * The largest mean squared difference, in 8-bit levels, between an honest file's pixels and those of
 * the checker's own file: `base` + `share` * the encoder's own error.
 */
export interface FileLimit {
  readonly base: number;
  readonly share: number;
}

interface FileLimits {
  readonly tile: FileLimit;
  readonly image: FileLimit;
}

/** Float16 arithmetic rounds a thousand times coarser, which only a PNG shows. */
export function fileLimits(
  format: ImageFormat,
  precision: Receipt["model"]["precision"],
): FileLimits {
  return format === "png" ? PNG[precision] : LOSSY[format];
}

/**
 * Measured on 92 images of the embedded model at 128x128, each decoded from one x_N on the CPU and in
 * Chrome on SwiftShader, two natively on lavapipe too: 2,112 honest files of PNG, and of JPEG and
 * WebP at 30, 60, 85, 92 and 98, each checked on another of these. None was rejected; the nearest
 * came to 0.003 of a limit as PNG, 0.09 as JPEG and 0.18 as WebP, whose encoder chooses otherwise
 * for nearly the same pixels. 4,092 files of float16 weights against float32, which stand for
 * machines further apart: none rejected, and 0.25, 0.49 and 0.66. The low bit of every value of a PNG
 * replaced is ten times the limit, or 1.2 times at float16.
 */
const PNG: Readonly<Record<Receipt["model"]["precision"], FileLimits>> = {
  float32: { tile: { base: 0.5, share: 0 }, image: { base: 0.05, share: 0 } },
  float16: { tile: { base: 4, share: 0 }, image: { base: 0.4, share: 0 } },
};

/**
 * By the encoder's own error in the tile and in the image. By reckoning, a bit in each coefficient
 * is six such errors.
 */
const LOSSY: Readonly<Record<Exclude<ImageFormat, "png">, FileLimits>> = {
  jpeg: { tile: { base: 3, share: 3 }, image: { base: 0.05, share: 0.5 } },
  webp: { tile: { base: 4, share: 4 }, image: { base: 0.05, share: 1 } },
};

/**
 * Of two encodings of nearly the same pixels by the same encoder: room for bytes that no decoder
 * reads is what the rest would be.
 * @param own bytes of the checker's own file.
 */
export function mostBytes(own: number): number {
  return Math.floor(1.1 * own) + 1024;
}
