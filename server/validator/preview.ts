import { imageSize, inputFormat } from "../../core/image/mod.ts";

/** Characters of a preview that is shown, and pixels a side: that of the largest image has 512. */
export const MAX_PREVIEW = 2 ** 20;
const MAX_SIDE = 512;
const PREFIX = "data:image/png;base64,";

/**
 * A preview as a miner sends it, if it is a small PNG: nobody vouches for what it shows.
 * @returns undefined for anything else.
 */
export function previewOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > MAX_PREVIEW || !text.startsWith(PREFIX)) return undefined;
  const file = bytesOf(text.slice(PREFIX.length));
  if (!file || file.length < 33 || inputFormat(file) !== "png") return undefined;
  const size = imageSize(file, "png");
  const fits = size && [size.width, size.height].every((side) => side >= 1 && side <= MAX_SIDE);
  return fits ? PREFIX + file.toBase64() : undefined;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return undefined;
  }
}
