/**
 * What a user asks for: decoded once at the border, complete and immutable from then on, and whether a
 * model can make it. The limits that hold for every model are in `core/request_limits.ts`.
 *
 * ```ts
 * import { decodeRequest, encodeRequest, randomSeed } from "./mod.ts";
 *
 * const defaults = { width: 512, height: 512, steps: 20, guidanceScale: 5, seed: randomSeed() };
 * const request = decodeRequest({ prompt: "a red tau symbol", seed: 7 }, defaults);
 * console.log(request.width, request.seed); // 512 7n
 * console.log(encodeRequest(request).seed); // "7": text, since seeds may exceed 2^53
 * ```
 */
export { planFor, type Planner, plannerOf, type PlanRequest } from "./plan_choice.ts";
export {
  type AdapterUse,
  canBatchWith,
  completeRequest,
  decodeDraft,
  decodeRequest,
  encodeRequest,
  type GenerationRequest,
  generationRequestSchema,
  type RequestDefaults,
  type RequestDraft,
} from "./request.ts";
export { controlScaleAt, type ControlUse } from "./control.ts";
export { inputsOf, ofEachInput, type RequestInput } from "./inputs.ts";
export { randomSeed } from "./random_seed.ts";
export { adapterScales, checkFit, checkSize, checkWork, workOf } from "./request_fit.ts";
