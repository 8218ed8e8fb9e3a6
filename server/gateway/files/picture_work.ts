import { AppError } from "../../../core/error.ts";
import { decodeInputImage, encodeImage, resize, type RgbaImage } from "../../../core/image/mod.ts";
import { type Painted, painted, type PaintOrder } from "./painted.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Pixels. */
export type Size = Pick<RgbaImage, "width" | "height">;

/** What takes long, each with its answer. */
export interface PictureWork {
  /** Of a file that is a picture as far as it can be decoded. */
  readonly size: (order: { readonly file: Bytes; readonly what: string }) => Promise<Size>;
  readonly enlarged: (order: {
    readonly file: Bytes;
    /** Pixels, or times what the image has. */
    readonly size: Size | number;
  }) => Promise<Bytes>;
  readonly painted: (order: PaintOrder) => Promise<Painted>;
  readonly whiteWhereClear: (order: {
    readonly mask: Bytes;
    /** Of the image. */
    readonly size: Size;
  }) => Promise<Bytes>;
}

const MAX_PIXELS = 4096 * 4096;

/** All of it, on the thread that calls it. */
export const pictureWork: PictureWork = {
  size: async ({ file, what }) => {
    const { width, height } = await decodeInputImage(file, what);
    return { width, height };
  },
  enlarged: async ({ file, size }) => {
    const image = await decodeInputImage(file, "image");
    const { width, height } = typeof size === "number"
      ? { width: Math.round(image.width * size), height: Math.round(image.height * size) }
      : size;
    if (width >= 1 && height >= 1 && width * height <= MAX_PIXELS) {
      return await encodeImage(resize(image, { width, height }), "png");
    }
    throw new AppError(
      "invalid_request",
      `Cannot enlarge the image: it would have ${width}x${height} pixels, of which ${MAX_PIXELS} ` +
        "are made at most",
      { field: "image" },
    );
  },
  painted,
  /** Our masks are white where is drawn, and have no transparency. */
  whiteWhereClear: async ({ mask, size }) => {
    const { width, height, data } = resize(await decodeInputImage(mask, "mask"), size);
    const drawn = new Uint8ClampedArray(data.length);
    for (let at = 0; at < data.length; at += 4) {
      drawn.fill(data[at + 3] < 128 ? 255 : 0, at, at + 3);
      drawn[at + 3] = 255;
    }
    return await encodeImage({ width, height, data: drawn }, "png");
  },
};
