import { toHalf } from "../half.ts";
import { joinRows, type Model } from "../inference/mod.ts";
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
  emitSource(input, events);
  return gpu ? denoiseOnGpu(gpu, model, input, events) : denoiseOnCpu(model, input, events);
}

/** What a run starts from is the first that is committed to, for each image. */
function emitSource({ source, seeds }: LoopInput, { onLeaf }: LoopEvents): void {
  const rows = (values: Float32Array) => toHalf(joinRows(seeds.map(() => values)));
  if (source) onLeaf?.({ kind: "s", index: 0, bits: rows(source.latent) });
  if (source?.mask) onLeaf?.({ kind: "m", index: 0, bits: rows(source.mask) });
  if (source?.kept) onLeaf?.({ kind: "k", index: 0, bits: rows(source.kept) });
}
