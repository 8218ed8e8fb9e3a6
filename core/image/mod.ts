/**
 * Pixels and files: planes to RGBA, PNG, JPEG and WebP both ways, and small previews of a latent.
 *
 * ```ts
 * import { decodeImage, encodeImage, toRgba } from "./mod.ts";
 *
 * // Planes in [-1, 1], one for each of red, green and blue.
 * const image = toRgba(Float32Array.of(1, -1, -1), 1, 1);
 * console.assert(image.data.join() === "255,0,0,255");
 *
 * const file = await encodeImage(image, "png");
 * const again = await decodeImage(file, "png", { width: 1, height: 1 });
 * console.assert(again.data.join() === image.data.join());
 * ```
 */
export { checkCanonical, checkOpaque } from "./canonical.ts";
export { type Box, cropped, maskedBox, pasted } from "./crop.ts";
export { crc32 } from "./crc32.ts";
export { type ImageCodec, imageCodec } from "./codec.ts";
export {
  decodeImage,
  encodeImage,
  fromRgba,
  type ImageFormat,
  imageFormatOf,
  imageFormatOfType,
  type RgbaImage,
  toRgba,
} from "./image.ts";
export { imageSize } from "./image_size.ts";
export { decodeInputImage, inputFormat, MAX_INPUT_BYTES } from "./input_image.ts";
export { textIn, withoutMetadata, withText } from "./metadata.ts";
export { HASH_BITS, hashDistance, perceptualHash } from "./perceptual_hash.ts";
export { hardMask, keptPlanes } from "./hard_mask.ts";
export { blurredMask } from "./mask_blur.ts";
export { latentMask } from "./latent_mask.ts";
export { type Margins, outpainted } from "./outpaint.ts";
export { resize } from "./resize.ts";
export { previewLatent } from "./preview.ts";
