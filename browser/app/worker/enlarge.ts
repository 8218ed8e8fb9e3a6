import { decodeInputImage, encodeImage } from "../../../core/image/mod.ts";
import { enlargedSize, lanczos } from "../../../core/upscale/mod.ts";
import type { EnlargedImage, EnlargeOrder } from "../api/mod.ts";
import { pageNetwork } from "./upscalers.ts";

/**
 * An image made larger, for a run that goes on from it. Without the page's network that is Lanczos' kernel.
 * @throws AppError `invalid_request` for a size that is not made.
 */
export async function enlarge({ image, factor, by }: EnlargeOrder): Promise<EnlargedImage> {
  const file = new Uint8Array(await image.arrayBuffer());
  const pixels = await decodeInputImage(file, "image");
  const size = enlargedSize(pixels, factor);
  const upscaler = by === "network" ? await pageNetwork() ?? lanczos : lanczos;
  const png = await encodeImage(await upscaler.enlarge(pixels, size), "png");
  return { ...size, image: new Blob([png], { type: "image/png" }), upscaler: upscaler.id };
}
