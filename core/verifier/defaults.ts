import type { Tolerance } from "../model/mod.ts";

/**
 * For models that were not calibrated, from two small ones.
 * float16: a prototype of 2.0 M parameters, 30 steps of `sde-dpmsolver++` with Karras sigmas; 1.5
 * times the largest error of an honest step, 9e-4 at the first and 2.3e-2 at the last.
 * float32: the embedded model at 256x256, made on the CPU and checked in Chrome on a software
 * adapter, the pair that was furthest apart: 2.1e-3 at noise 0.056 and 1.1e-4 at 5.0; at least 3
 * times that. Large models may differ by more: calibrate before anything depends on them.
 */
export const DEFAULT_TOLERANCES: readonly Tolerance[] = [
  {
    precision: "float32",
    points: [{ noise: 0.03, tolerance: 8e-3 }, { noise: 14.6, tolerance: 6e-4 }],
  },
  {
    precision: "float16",
    points: [{ noise: 0.03, tolerance: 3.45e-2 }, { noise: 14.6, tolerance: 1.35e-3 }],
  },
];
