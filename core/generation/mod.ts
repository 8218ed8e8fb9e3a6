export type {
  GenerateOptions,
  Generation,
  ImageEngine,
  StepProgress,
  StepState,
  Timings,
} from "./engine.ts";
export {
  decodeImage,
  encodeImage,
  type ImageFormat,
  imageFormatOf,
  type RgbaImage,
  toRgba,
} from "./image.ts";
export type { LatentDims, Leaf } from "./loop_input.ts";
export { Pipeline } from "./pipeline.ts";
export { planFor } from "./plan_choice.ts";
export { previewLatent } from "./preview.ts";
export { RecoveringEngine } from "./recovering_engine.ts";
export {
  decodeRequest,
  encodeRequest,
  type GenerationRequest,
  generationRequestSchema,
  type RequestDefaults,
  runsBeside,
} from "./request.ts";
export { checkFit, checkWork } from "./request_fit.ts";
export { toldOnce } from "./told_once.ts";
export { stepLatent } from "./step.ts";
