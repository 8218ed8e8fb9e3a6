import { blurCase } from "./blur_case.ts";
import { cannyCase, cannyStageCases } from "./canny_case.ts";
import type { BenchCase } from "./case.ts";
import { noiseCase } from "./noise_case.ts";
import { rescaleCase } from "./rescale_case.ts";
import { residualCase } from "./residual_case.ts";
import { rgbaCase } from "./rgba_case.ts";
import { noisyStepCase, stepCase } from "./step_case.ts";

/** Every kernel, in the order of a generation. */
export const BENCH_CASES: readonly BenchCase[] = [
  noiseCase,
  stepCase,
  noisyStepCase,
  rescaleCase,
  residualCase,
  rgbaCase,
  blurCase,
  ...cannyStageCases,
  cannyCase,
];
