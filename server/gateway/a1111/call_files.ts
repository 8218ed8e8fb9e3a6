import {
  decodeInputImage,
  encodeImage,
  inputFormat,
  resize,
  type RgbaImage,
} from "../../../core/image/mod.ts";
import { AppError } from "../../../core/error.ts";
import type { A1111Call } from "./call.ts";
import { A1111Error, refuseField } from "./errors.ts";
import { fillHoles } from "./fill_holes.ts";
import type { CallFiles } from "./order.ts";

const [FILL, ORIGINAL] = [0, 1];
const STRETCH = 0;
/** Pixels a side of what is changed here before it is sent on. */
const MAX_SIDE = 2048;

/**
 * The files of img2img, ready for a request: white of the mask is made anew, and what is there is either
 * the image itself or its surroundings.
 * @throws A1111Error 404 without an image, 422 for what is not done here.
 */
export async function callFiles(call: A1111Call): Promise<CallFiles> {
  const { init_images: images = [], mask } = call;
  if (images.length === 0) throw new A1111Error(404, "Init image not found");
  if (images.length > 1) refuseField("init_images", "one image is taken at a time");
  if ((call.resize_mode ?? STRETCH) !== STRETCH) {
    refuseField("resize_mode", "images are stretched to the size that is asked for (0) alone");
  }
  const image = imageBytes(images[0], "init_images");
  if (mask === undefined || mask === "") return { image };
  return await masked(image, imageBytes(mask, "mask"), call);
}

async function masked(
  image: Uint8Array<ArrayBuffer>,
  mask: Uint8Array<ArrayBuffer>,
  call: A1111Call,
): Promise<CallFiles> {
  const { inpainting_fill: fill = FILL } = call;
  if (fill !== FILL && fill !== ORIGINAL) {
    refuseField("inpainting_fill", "masked content is filled (0) or the original (1) here");
  }
  if (call.inpaint_full_res) {
    refuseField(
      "inpaint_full_res",
      "the whole picture is drawn, not the masked part alone: say false",
    );
  }
  const inverted = Boolean(call.inpainting_mask_invert);
  if (fill === ORIGINAL && !inverted) return { image, mask };
  const holes = inverted ? invert(await small(mask, "mask")) : await small(mask, "mask");
  const whole = await small(image, "init_images");
  const fitted = resize(holes, whole);
  return {
    mask: await encodeImage(holes, "png"),
    image: fill === FILL ? await encodeImage(fillHoles(whole, fitted), "png") : image,
  };
}

async function small(file: Uint8Array<ArrayBuffer>, field: string): Promise<RgbaImage> {
  const image = await decodeInputImage(file, field).catch((error) => {
    if (error instanceof AppError) return refuseField(field, error.message);
    throw error;
  });
  if (image.width <= MAX_SIDE && image.height <= MAX_SIDE) return image;
  return refuseField(field, `with this mask at most ${MAX_SIDE}x${MAX_SIDE} pixels are taken`);
}

function invert({ width, height, data }: RgbaImage): RgbaImage {
  return { width, height, data: data.map((value, k) => k % 4 === 3 ? value : 255 - value) };
}

/** Base64, or a data URL of it. @throws A1111Error 422 for anything else. */
export function imageBytes(text: string, field: string): Uint8Array<ArrayBuffer> {
  const base64 = text.startsWith("data:") ? text.slice(text.indexOf(",") + 1) : text;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(base64);
  } catch {
    return refuseField(field, "Invalid encoded image");
  }
  return inputFormat(bytes) ? bytes : refuseField(field, "Invalid encoded image");
}
