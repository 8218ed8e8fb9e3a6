import {
  blurredMask,
  decodeInputImage,
  encodeImage,
  resize,
  type RgbaImage,
} from "../../../core/image/mod.ts";
import { AppError } from "../../../core/error.ts";
import { fillHoles } from "./fill_holes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What is under a mask before it is drawn anew: what was there, its surroundings, or middle grey. */
export type Fill = "original" | "surroundings" | "grey";

/** How an image and its mask are made ready. */
export interface PaintOrder {
  readonly image: Bytes;
  readonly mask: Bytes;
  readonly fill: Fill;
  /** Whether black is drawn anew. */
  readonly inverted: boolean;
  /** Standard deviation of the mask's edges, in pixels of the image. */
  readonly blur: number;
}

export interface Painted {
  readonly image: Bytes;
  /** White is drawn anew; of the image's size. */
  readonly mask: Bytes;
}

/** Pixels a side of what is changed here before it is sent on. */
const MAX_SIDE = 2048;
const GREY = 128;

/** @throws AppError `invalid_request` naming the field. */
export async function painted(
  { image, mask, fill, inverted, blur }: PaintOrder,
): Promise<Painted> {
  const whole = await small(image, "init_images");
  const given = await small(mask, "mask");
  const holes = inverted ? invert(given) : given;
  const fitted = resize(holes, whole);
  const changed = inverted || blur > 0 || fitted !== given;
  return {
    image: fill === "original" ? image : await encodeImage(filled(whole, fitted, fill), "png"),
    mask: changed ? await encodeImage(blurredMask(fitted, blur), "png") : mask,
  };
}

function filled(image: RgbaImage, mask: RgbaImage, fill: Fill): RgbaImage {
  if (fill === "surroundings") return fillHoles(image, mask);
  const data = image.data.slice();
  for (let k = 0; k < data.length; k += 4) if (mask.data[k] >= 128) data.fill(GREY, k, k + 3);
  return { ...image, data };
}

async function small(file: Bytes, field: string): Promise<RgbaImage> {
  const image = await decodeInputImage(file, field);
  if (image.width <= MAX_SIDE && image.height <= MAX_SIDE) return image;
  throw new AppError(
    "invalid_request",
    `Cannot take the ${field}: with a mask at most ${MAX_SIDE}x${MAX_SIDE} pixels are taken`,
    { field },
  );
}

function invert({ width, height, data }: RgbaImage): RgbaImage {
  return { width, height, data: data.map((value, k) => k % 4 === 3 ? value : 255 - value) };
}
