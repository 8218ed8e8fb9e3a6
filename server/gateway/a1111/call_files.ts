import { inputFormat } from "../../../core/image/mod.ts";
import { AppError } from "../../../core/error.ts";
import type { CallPictures, Fill } from "../files/mod.ts";
import type { A1111Call } from "./call.ts";
import { A1111Error, refuseField } from "./errors.ts";
import type { CallFiles } from "./order.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** `inpainting_fill`, by its numbers. */
const FILLS = ["surroundings", "original", "noise", "grey"] as const;
const STRETCH = 0;

/** What of img2img is to be looked at. */
export interface GivenFiles {
  readonly image: Bytes;
  readonly masked: Masked | undefined;
}

interface Masked {
  readonly mask: Bytes;
  readonly fill: Fill;
  readonly inverted: boolean;
  readonly blur: number;
}

/**
 * The files of img2img as they were sent: white of the mask is made anew.
 * @throws A1111Error 404 without an image, 422 for what is not done here.
 */
export function givenFiles(call: A1111Call): GivenFiles {
  const { init_images: images = [], mask } = call;
  if (images.length === 0) throw new A1111Error(404, "Init image not found");
  if (images.length > 1) refuseField("init_images", "one image is taken at a time");
  if ((call.resize_mode ?? STRETCH) !== STRETCH) {
    refuseField("resize_mode", "images are stretched to the size that is asked for (0) alone");
  }
  const image = imageBytes(images[0], "init_images");
  return { image, masked: mask ? maskedOf(call, mask) : undefined };
}

function maskedOf(call: A1111Call, mask: string): Masked {
  if (call.inpaint_full_res) {
    refuseField(
      "inpaint_full_res",
      "the whole picture is drawn, not the masked part alone: say false, or send the part as an " +
        "image of its own",
    );
  }
  return {
    mask: imageBytes(mask, "mask"),
    fill: fillOf(call),
    inverted: Boolean(call.inpainting_mask_invert),
    blur: blurOf(call),
  };
}

/** Noise under the mask is what a strength of 1 starts from; with less, a request cannot say it. */
function fillOf({ inpainting_fill: fill = 0, denoising_strength: strength }: A1111Call): Fill {
  const name = FILLS[fill];
  if (name !== "noise") return name;
  if (strength === 1) return "original";
  return refuseField(
    "inpainting_fill",
    "latent noise (2) is where a denoising_strength of 1 starts: say that, or fill from the " +
      "surroundings (0)",
  );
}

/** Of both directions alike. */
function blurOf({ mask_blur: blur, mask_blur_x: x, mask_blur_y: y }: A1111Call): number {
  const both = blur ?? x ?? y ?? 0;
  for (const [field, value] of Object.entries({ mask_blur_x: x, mask_blur_y: y })) {
    if (value !== undefined && value !== both) {
      refuseField(field, `edges are as soft in both directions: take mask_blur alone`);
    }
  }
  return both;
}

/** The files as a request names them. @throws A1111Error 422 for what is no picture, or too large. */
export async function callFiles(
  { image, masked }: GivenFiles,
  owner: string,
  pictures: Pick<CallPictures, "ask">,
): Promise<CallFiles> {
  try {
    if (masked) return await pictures.ask(owner, "painted", { image, ...masked });
    await pictures.ask(owner, "size", { file: image, what: "init_images" });
    return { image };
  } catch (error) {
    if (error instanceof AppError && error.field) return refuseField(error.field, error.message);
    throw error;
  }
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
