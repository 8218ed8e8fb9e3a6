import type { ImageCodec, ImageFormat, RgbaImage } from "../image/mod.ts";
import { decibels, squaresByTile } from "./psnr.ts";
import { type FileLimit, fileLimits, mostBytes } from "./file_limits.ts";
import type { Receipt } from "../transcript/mod.ts";
import { meanOf } from "./mean.ts";
import type { ImageComparison } from "./verdict.ts";

/** A committed file, and how it was encoded. */
export interface OpenedFile {
  readonly bytes: number;
  readonly pixels: RgbaImage;
  readonly format: ImageFormat;
  /** Of the lossy formats; undefined for what receipts name none of. */
  readonly quality?: number;
  readonly precision: Receipt["model"]["precision"];
}

/**
 * A file against the checker's own: what they decoded of x_N, encoded by the same encoder at the same
 * quality and decoded again. What is left are rounding differences of two machines, so that a stamp
 * in one tile and bits hidden all over both show. The encoder's own error is how far its file is
 * from what went into it.
 * @param decoded of x_N, by the checker.
 */
export async function compareFile(
  opened: OpenedFile,
  decoded: RgbaImage,
  codec: ImageCodec,
): Promise<ImageComparison> {
  const { bytes, pixels, format, quality, precision } = opened;
  if (pixels.width !== decoded.width || pixels.height !== decoded.height) return notDecoded(opened);
  const file = await codec.encode(decoded, format, quality);
  const own = await codec.decode(file, format, decoded);
  const limits = fileLimits(format, precision);
  const found = squaresByTile(pixels, own);
  const errors = squaresByTile(own, decoded);
  const tiles = found.map((square, k) => compared(square, errors[k], limits.tile));
  const tile = tiles.reduce((worst, each) => margin(each) < margin(worst) ? each : worst);
  return {
    // Tiles at the edges may be smaller, and count as much.
    ...compared(meanOf(found), meanOf(errors), limits.image),
    tile,
    bytes: { found: bytes, most: mostBytes(file.length) },
  };
}

/** Of an x_N from which no such image comes: none is near it. */
export function notDecoded({ format, precision }: OpenedFile): ImageComparison {
  return { psnr: 0, floor: compared(0, 0, fileLimits(format, precision).image).floor };
}

interface Compared {
  readonly psnr: number;
  readonly floor: number;
}

/** @param square mean squared difference, in levels of 255. @param error the encoder's own. */
function compared(square: number, error: number, { base, share }: FileLimit): Compared {
  return { psnr: decibels(square), floor: decibels(base + share * error) };
}

function margin({ psnr, floor }: Compared): number {
  return psnr - floor;
}
