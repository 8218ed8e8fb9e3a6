import type { Tolerance } from "../model/mod.ts";

/**
 * For models that were not calibrated, from small ones; large models may differ by more: calibrate
 * before anything depends on them.
 *
 * float32: the embedded model at 256x256, made on the CPU and checked in Chrome on a software adapter,
 * the pair that was furthest apart: 2.1e-3 at noise 0.056 and 1.1e-4 at 5.0; at least 3 times that.
 *
 * float16, without guidance: tiny models with random weights (SD 1, SDXL, SD 3 and FLUX, see
 * test/golden/pipelines), 20 steps at 128x128 of Euler, PNDM, DPM++ 2M and SDE DPM++, all arithmetic
 * rounded to float16, against float32; and an SD 1.5 of a quarter of the width (test/full_size). No
 * honest step came to half of it.
 */
const UNGUIDED: Readonly<Record<Tolerance["precision"], Tolerance["points"]>> = {
  float32: [{ noise: 0.03, tolerance: 8e-3 }, { noise: 14.6, tolerance: 6e-4 }],
  float16: [{ noise: 0.03, tolerance: 4e-2 }, { noise: 14.6, tolerance: 1.6e-3 }],
};

/**
 * Guidance multiplies the difference of two predictions, and with it what each is off by: of the same
 * models the largest error at scales of 1, 2, 5, 7.5 and 12 was 0.48, 0.69, 1.6, 2.3 and 3.0 of the
 * tolerance without guidance, and so at most 0.48 of it times this. Of float32 the figures are with
 * guidance.
 */
const PER_GUIDANCE: Readonly<Record<Tolerance["precision"], number>> = { float32: 0, float16: 0.6 };

/** The largest scale that was measured. Requests may name larger ones, by which errors were to be anything. */
const MOST_GUIDANCE = 12;

/** What guidance does to errors. */
export interface Guidance {
  /** Two predictions are put together; the scale of a distilled model multiplies nothing. */
  readonly guided: boolean;
  /** Of the request. */
  readonly guidanceScale: number;
}

/** For a model that has none of its own. */
export function defaultTolerance(
  precision: Tolerance["precision"],
  { guided, guidanceScale }: Guidance,
): Tolerance {
  const scale = guided ? Math.min(Math.max(1, guidanceScale), MOST_GUIDANCE) : 1;
  const factor = 1 + PER_GUIDANCE[precision] * (scale - 1);
  const points = UNGUIDED[precision].map(({ noise, tolerance }) => ({
    noise,
    tolerance: factor * tolerance,
  }));
  return { precision, points };
}
