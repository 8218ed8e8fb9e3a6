import { AppError } from "../error.ts";
import { checkJpeg } from "./canonical_jpeg.ts";
import { checkPng } from "./canonical_png.ts";
import { checkWebp } from "./canonical_webp.ts";
import type { ImageFormat, RgbaImage } from "./image.ts";
import { NotCanonical } from "./not_canonical.ts";

/** Pixels. */
type Size = Pick<RgbaImage, "width" | "height">;

/** Each throws a {@link NotCanonical} that names what was found. */
const CHECKS: Readonly<Record<ImageFormat, (file: Uint8Array, size: Size) => void>> = {
  png: checkPng,
  jpeg: checkJpeg,
  webp: checkWebp,
};

/**
 * The container of a committed file: of one image, as the encoders here write it, every viewer makes
 * the same pixels, and nothing travels beside them. What is compressed is not looked into: that is
 * done by `decodeImage`, and by the comparison of the pixels.
 * @throws AppError `image_not_canonical` naming what was found.
 */
export function checkCanonical(file: Uint8Array, format: ImageFormat, size: Size): void {
  try {
    CHECKS[format](file, size);
  } catch (error) {
    if (error instanceof NotCanonical) refuse(format, error.message, error);
    // A read behind the end, where a stated length has led.
    if (error instanceof RangeError) refuse(format, "it is cut short", error);
    throw error;
  }
}

/** @throws AppError `image_not_canonical` for pixels through which a page's ground would show. */
export function checkOpaque({ data }: Pick<RgbaImage, "data">, format: ImageFormat): void {
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] !== 255) refuse(format, `a pixel has the opacity ${data[at]}, not 255`);
  }
}

function refuse(format: ImageFormat, found: string, cause?: unknown): never {
  const name = { png: "PNG", jpeg: "JPEG", webp: "WebP" }[format];
  throw new AppError(
    "image_not_canonical",
    `Cannot accept the image's file as a canonical ${name}: ${found}`,
    { cause },
  );
}
