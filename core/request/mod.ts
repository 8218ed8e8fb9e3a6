export { planFor } from "./plan_choice.ts";
export {
  decodeRequest,
  encodeRequest,
  type GenerationRequest,
  generationRequestSchema,
  type RequestDefaults,
  runsBeside,
} from "./request.ts";
export { randomSeed } from "./random_seed.ts";
export { checkFit, checkSize, checkWork } from "./request_fit.ts";
