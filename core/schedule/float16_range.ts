import { AppError } from "../error.ts";
import type { Plan } from "./plan.ts";

/** The largest float16: states and predictions are rounded to it. */
const LARGEST = 65504;
/** No value of `gaussianNoise` is further from 0: sqrt(-2 ln 2^-33) is 6.764. */
const WIDEST_NOISE = 6.8;
/** What a network's output, of unit variance, may come to. */
const WIDEST_OUTPUT = 8;

/**
 * Whether all states and predictions of a plan fit float16, as far as the plan alone shows. Real
 * schedules do by far: their noise is at most some 160, and divides by an alpha of 0.005 or more.
 * @throws AppError `unsupported_setting` naming the step and its noise.
 */
export function refuseOverflow({ rows, initialScale }: Plan): void {
  const steps = rows.length;
  // Not the other way round, so that NaN is refused as well.
  const within = (values: readonly number[], widest: number) =>
    values.every((value) => widest * Math.abs(value) <= LARGEST);
  for (const [k, row] of rows.entries()) {
    const { alpha, sigma, noise, timestep, inScale, states } = row;
    const step = `step ${k + 1} of ${steps}`;
    const start = k === 0 ? [initialScale] : [];
    if (!within([sigma, noise, inScale, ...start], WIDEST_NOISE) || !within(states, 1)) {
      refuse(`${step} has noise of ${rounded(Math.max(sigma, ...start))}`);
    }
    if (!within([row.fromOut, ...row.denoised], WIDEST_OUTPUT)) {
      refuse(
        `${step} has ${rounded(sigma / alpha)} times as much noise as image, and multiplies the ` +
          "network's error by as much",
      );
    }
    if (!Number.isFinite(timestep + row.fromX)) refuse(`${step} has no finite timestep`);
  }
}

function refuse(what: string): never {
  throw new AppError(
    "unsupported_setting",
    `Cannot plan the denoising: ${what}, which leaves the range of float16; choose another ` +
      'scheduler or betas, timestep_spacing "leading", or other steps',
  );
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
