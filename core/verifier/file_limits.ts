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
 * Measured on 128x128 images of the embedded model, each decoded from one x_N on the CPU and in
 * Chrome on SwiftShader, some natively on lavapipe, and compared in pairs: 880 pairs at float32, of
 * PNG and of JPEG and WebP at 30 to 98. PNG: at most 1.3e-3 in a tile, 4.1e-5 in an image. Images
 * of float16 weights against those of float32, which stand for machines further apart than these:
 * 2.7e-2 and 9.4e-3. The low bit of every value replaced is 0.5.
 */
const PNG: Readonly<Record<Receipt["model"]["precision"], FileLimits>> = {
  float32: { tile: { base: 0.5, share: 0 }, image: { base: 0.05, share: 0 } },
  float16: { tile: { base: 4, share: 0 }, image: { base: 0.4, share: 0 } },
};

/**
 * As above, in shares of 1 + the encoder's error in a tile and of its error in the image. JPEG: 0.11
 * and 0.025, float16 against float32 0.75 and 0.25; WebP: 0.74 and 0.025, and 2.1 and 0.67, as its
 * encoder chooses otherwise for nearly the same pixels. By reckoning a bit in each coefficient is 6 encoder's
 * errors; a black and white stamp is at least 16 in its tile, at quality 30.
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
