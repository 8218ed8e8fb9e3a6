import type { Model } from "../inference/mod.ts";
import { denoiseOnCpu } from "./cpu_loop.ts";
import { denoiseOnGpu } from "./gpu_loop.ts";
import type { LoopEvents, LoopInput, LoopResult } from "./loop_input.ts";

/**
 * The denoising loop, where the model computes. Every state and prediction is rounded to float16
 * before it is used again, so that what a transcript commits to is what the next step consumed.
 * @throws AppError `cancelled` between two network calls, `not_finite` naming the step at which a state
 * or prediction left float16, `inference_failed`, and on a GPU `gpu_failed` and `device_lost`.
 */
export function denoise(model: Model, input: LoopInput, events: LoopEvents): Promise<LoopResult> {
  const { gpu } = model.runtime;
  return gpu ? denoiseOnGpu(gpu, model, input, events) : denoiseOnCpu(model, input, events);
}
