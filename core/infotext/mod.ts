/**
 * How an image was made, in the words of AUTOMATIC1111: the text that it writes into files and that
 * galleries read, and its names of samplers and schedules.
 *
 * ```ts
 * import { readInfotext, samplerChoice, schedulerOf, writeInfotext } from "./mod.ts";
 *
 * const text = writeInfotext({
 *   prompt: "a red tau",
 *   negativePrompt: "blurry",
 *   parameters: { Steps: 20, Sampler: "DPM++ 2M", "CFG scale": 7, Size: "512x512" },
 * });
 * console.assert(text.endsWith("Steps: 20, Sampler: DPM++ 2M, CFG scale: 7, Size: 512x512"));
 * console.assert(readInfotext(text).parameters["Size-1"] === "512");
 * console.assert(schedulerOf(samplerChoice("DPM++ 2M Karras")) === "dpmpp_2m_karras");
 * ```
 */
export { type Infotext, readInfotext, writeInfotext } from "./infotext.ts";
export { infotextOf } from "./of_receipt.ts";
export {
  type SamplerChoice,
  samplerChoice,
  samplerOf,
  SAMPLERS,
  schedulerOf,
  SCHEDULES,
} from "./samplers.ts";
