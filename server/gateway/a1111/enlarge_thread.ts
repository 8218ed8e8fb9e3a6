/** The thread of {@link enlarge}: an image's file at another size, as PNG. */
import { parentPort } from "node:worker_threads";
import { reason } from "../../../core/error.ts";
import { decodeInputImage, encodeImage, resize } from "../../../core/image/mod.ts";

/** What the process sends: one order a thread. */
export interface EnlargeOrder {
  readonly file: Uint8Array<ArrayBuffer>;
  /** Pixels, or times what the image has. */
  readonly size: { readonly width: number; readonly height: number } | number;
}

export type EnlargeAnswer = { readonly file: Uint8Array<ArrayBuffer> } | { readonly why: string };

parentPort?.once("message", async (order: EnlargeOrder) => {
  parentPort?.postMessage(await enlarged(order).catch((error) => ({ why: reason(error) })));
});

async function enlarged({ file, size }: EnlargeOrder): Promise<EnlargeAnswer> {
  const image = await decodeInputImage(file, "image");
  const { width, height } = typeof size === "number"
    ? { width: Math.round(image.width * size), height: Math.round(image.height * size) }
    : size;
  if (width < 1 || height < 1 || width * height > MAX_PIXELS) {
    return {
      why: `it would have ${width}x${height} pixels, of which ${MAX_PIXELS} are made at most`,
    };
  }
  return { file: await encodeImage(resize(image, { width, height }), "png") };
}

const MAX_PIXELS = 4096 * 4096;
