import type { RgbaImage } from "./image.ts";

/** Standard deviations after which the kernel ends, as AUTOMATIC1111's mask blur has it. */
const REACH = 2.5;

/**
 * A mask with soft edges: a Gaussian of `sigma` pixels over its red channel, in double precision, so that
 * every host has the same file. Beyond its borders it goes on as there.
 */
export function blurredMask(mask: RgbaImage, sigma: number): RgbaImage {
  if (sigma === 0) return mask;
  const { width, height, data } = mask;
  const red = Float64Array.from({ length: width * height }, (_, i) => data[4 * i]);
  const weights = kernelOf(sigma);
  const rows = blurredAlong(red, weights, { length: width, step: 1, lines: height, apart: width });
  const levels = blurredAlong(rows, weights, {
    length: height,
    step: width,
    lines: width,
    apart: 1,
  });
  return greyImage({ width, height }, (i) => levels[i]);
}

/** Opaque, of one level a pixel. */
export function greyImage(
  { width, height }: Pick<RgbaImage, "width" | "height">,
  levelAt: (pixel: number) => number,
): RgbaImage {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) data.fill(levelAt(i), 4 * i, 4 * i + 3);
  return { width, height, data };
}

/** Weights that sum to 1, the middle one of the pixel itself. */
function kernelOf(sigma: number): number[] {
  const reach = Math.ceil(REACH * sigma);
  const raw = Array.from(
    { length: 2 * reach + 1 },
    (_, k) => Math.exp(-((k - reach) ** 2) / (2 * sigma ** 2)),
  );
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return raw.map((weight) => weight / sum);
}

/** How numbers of a plane lie along one axis. */
interface Lines {
  readonly length: number;
  readonly step: number;
  readonly lines: number;
  readonly apart: number;
}

function blurredAlong(
  values: Float64Array,
  weights: readonly number[],
  { length, step, lines, apart }: Lines,
): Float64Array {
  const reach = (weights.length - 1) / 2;
  const result = new Float64Array(values.length);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let k = -reach; k <= reach; k++) {
        const from = Math.min(Math.max(i + k, 0), length - 1);
        sum += weights[k + reach] * values[line * apart + from * step];
      }
      result[line * apart + i * step] = sum;
    }
  }
  return result;
}
