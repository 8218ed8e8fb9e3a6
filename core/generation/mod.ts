export type { GenerateOptions, Generation, ImageEngine, StepProgress, Timings } from "./engine.ts";
export { encodeImage, type ImageFormat, imageFormatOf, type RgbaImage } from "./image.ts";
export type { LatentDims, Leaf } from "./loop.ts";
export { Pipeline, planFor } from "./pipeline.ts";
export {
  decodeRequest,
  encodeRequest,
  type GenerationRequest,
  type RequestDefaults,
} from "./request.ts";
