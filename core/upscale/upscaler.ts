import { resize, type RgbaImage } from "../image/mod.ts";

/** Width and height in pixels. */
export type Size = Pick<RgbaImage, "width" | "height">;

/** A way to enlarge images. The same image gets the same pixels, up to a network's rounding. */
export interface Upscaler {
  /** As a request names it: `lanczos`, or the SHA-256 of a network's file. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  enlarge(image: RgbaImage, size: Size): Promise<RgbaImage>;
}

/** Without a network: Lanczos' kernel of three lobes, in double precision, the same everywhere. */
export const lanczos: Upscaler = {
  id: "lanczos",
  name: "Lanczos",
  enlarge: (image, size) => Promise.resolve(resize(image, size)),
};
