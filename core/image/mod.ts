export {
  decodeImage,
  encodeImage,
  type ImageFormat,
  imageFormatOf,
  type RgbaImage,
  toRgba,
} from "./image.ts";
export { previewLatent } from "./preview.ts";
