import { inputFormat, perceptualHash, withoutMetadata } from "../../../core/image/mod.ts";
import { PATHS } from "../../../core/protocol/mod.ts";
import type { OfferedReceipt } from "../api/mod.ts";
import { digest } from "./file_hash.ts";
import { pageRoot } from "./page_root.ts";
import { readList } from "./validator.ts";

/** Pixels: more are not worth a phone's memory. */
const MAX_PIXELS = 4096 * 4096;

/**
 * The hashes by which a receipt may name a file, in lower-case hex: of its bytes, and of those that are
 * left without what was written beside its picture.
 */
export async function hashesOf(file: Blob): Promise<string[]> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const format = inputFormat(bytes);
  const own = await digest(bytes);
  return format ? [...new Set([own, await digest(withoutMetadata(bytes, format))])] : [own];
}

/**
 * Receipts that this page's server knows for an image: of this very file, or else of one that looks the
 * same, such as a copy that was scaled or saved anew.
 * @throws AppError `opening_withheld` where the server gives none.
 */
export async function findReceipts(file: Blob, page: string): Promise<OfferedReceipt[]> {
  for (const image of await hashesOf(file)) {
    const found = await readList(pageRoot(), page, PATHS.receipts, { image });
    const same = found.filter(({ receipt }) => receipt.image.sha256 === image);
    if (same.length > 0) return same;
  }
  return await readList(pageRoot(), page, PATHS.receipts, { looks: await looksOf(file) });
}

async function looksOf(file: Blob): Promise<string> {
  using bitmap = closing(await createImageBitmap(file));
  const { width, height } = bitmap.image;
  if (width * height > MAX_PIXELS) throw new Error("Cannot look for the image: it is too large.");
  const context = new OffscreenCanvas(width, height).getContext("2d", { colorSpace: "srgb" });
  if (!context) throw new Error("Cannot look for the image: this browser draws none here.");
  context.drawImage(bitmap.image, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return perceptualHash({ width, height, data: new Uint8ClampedArray(data) });
}

function closing(image: ImageBitmap): Disposable & { readonly image: ImageBitmap } {
  return { image, [Symbol.dispose]: () => image.close() };
}
