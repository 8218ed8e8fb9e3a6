import { fileHash } from "../../../core/transcript/mod.ts";
import type { StoredImage } from "../storage/mod.ts";

/**
 * The file that an image's receipt names: who served it wrote beside the picture where it came from. What
 * goes on from the image starts from this.
 */
export async function signedPicture(
  { image, receipt }: Pick<StoredImage, "image" | "receipt">,
): Promise<Blob> {
  const bytes = new Uint8Array(await image.arrayBuffer());
  if (fileHash(bytes) === receipt.image.sha256) return image;
  const { inputFormat, withoutMetadata } = await import("../../../core/image/mod.ts");
  const format = inputFormat(bytes);
  return format ? new Blob([withoutMetadata(bytes, format)], { type: `image/${format}` }) : image;
}
