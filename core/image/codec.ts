import { decodeInputImage } from "./input_image.ts";
import { decodeImage, encodeImage, type ImageFormat, type RgbaImage } from "./image.ts";

/** Encodes and decodes image files: here, or in a thread of its own. */
export interface ImageCodec {
  /** As `encodeImage`. */
  encode(image: RgbaImage, format: ImageFormat, quality?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** As `decodeImage`. */
  decode(
    file: Uint8Array<ArrayBuffer>,
    format: ImageFormat,
    size: Pick<RgbaImage, "width" | "height">,
  ): Promise<RgbaImage>;
  /** As `decodeInputImage`. */
  decodeInput(file: Uint8Array<ArrayBuffer>, what: string): Promise<RgbaImage>;
}

/** A codec on the calling thread, for callers that may block it. */
export const imageCodec: ImageCodec = {
  ...{ encode: encodeImage, decode: decodeImage, decodeInput: decodeInputImage },
};
