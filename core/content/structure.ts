import type { RgbaImage } from "../image/mod.ts";

/** Colours of one scale, as planes in levels of 0 to 255. */
interface Planes {
  readonly width: number;
  readonly height: number;
  /** f64[3, height, width] */
  readonly data: Float64Array;
}

/** Where a picture has structure at one scale. */
export interface Structure {
  readonly width: number;
  readonly height: number;
  /** Along the strongest change, and across it: f64[height, width], squared levels a pixel. */
  readonly along: Float64Array;
  readonly across: Float64Array;
  /** Direction of the strongest change, as twice its angle: f64[height, width] each. */
  readonly cosine2: Float64Array;
  readonly sine2: Float64Array;
}

export function planesOf({ width, height, data }: RgbaImage): Planes {
  const pixels = width * height;
  const planes = new Float64Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < 3; channel++) {
      planes[channel * pixels + i] = data[4 * i + channel];
    }
  }
  return { width, height, data: planes };
}

/** Half the size, each pixel the mean of four: one octave less. */
export function halved({ width, height, data }: Planes): Planes {
  const [w, h] = [width >> 1, height >> 1];
  const half = new Float64Array(3 * w * h);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const i = channel * width * height + 2 * y * width + 2 * x;
        half[(channel * h + y) * w + x] = (data[i] + data[i + 1] + data[i + width] +
          data[i + width + 1]) / 4;
      }
    }
  }
  return { width: w, height: h, data: half };
}

/**
 * The structure tensor of the colours, summed over a window, as its eigenvalues: an edge has one large and
 * one small, noise has two alike.
 * @see Di Zenzo, A note on the gradient of a multi-image, 1986.
 */
export function structureOf({ width, height, data }: Planes): Structure {
  const pixels = width * height;
  const [xx, xy, yy] = [0, 1, 2].map(() => new Float64Array(pixels));
  for (let channel = 0; channel < 3; channel++) {
    addProducts(data.subarray(channel * pixels, (channel + 1) * pixels), width, height, xx, xy, yy);
  }
  for (const plane of [xx, xy, yy]) binomial(plane, width, height);
  return eigenvalues(width, height, xx, xy, yy);
}

/** Sobel's derivatives, an eighth of the usual: levels a pixel. Borders repeat. */
function addProducts(
  plane: Float64Array,
  width: number,
  height: number,
  xx: Float64Array,
  xy: Float64Array,
  yy: Float64Array,
): void {
  for (let y = 0; y < height; y++) {
    const [up, here, down] = [Math.max(y - 1, 0), y, Math.min(y + 1, height - 1)]
      .map((row) => row * width);
    for (let x = 0; x < width; x++) {
      const [l, r] = [Math.max(x - 1, 0), Math.min(x + 1, width - 1)];
      const dx = (plane[up + r] - plane[up + l] + 2 * (plane[here + r] - plane[here + l]) +
        plane[down + r] - plane[down + l]) / 8;
      const dy = (plane[down + l] - plane[up + l] + 2 * (plane[down + x] - plane[up + x]) +
        plane[down + r] - plane[up + r]) / 8;
      xx[here + x] += dx * dx;
      xy[here + x] += dx * dy;
      yy[here + x] += dy * dy;
    }
  }
}

/** A window of 1 4 6 4 1 both ways, in place. Borders repeat. */
function binomial(plane: Float64Array, width: number, height: number): void {
  for (let y = 0; y < height; y++) smooth(plane, y * width, 1, width);
  for (let x = 0; x < width; x++) smooth(plane, x, width, height);
}

function smooth(plane: Float64Array, first: number, step: number, count: number): void {
  const line = Float64Array.from({ length: count }, (_, k) => plane[first + k * step]);
  const at = (k: number) => line[Math.min(Math.max(k, 0), count - 1)];
  for (let k = 0; k < count; k++) {
    plane[first + k * step] =
      (at(k - 2) + 4 * at(k - 1) + 6 * line[k] + 4 * at(k + 1) + at(k + 2)) / 16;
  }
}

function eigenvalues(
  width: number,
  height: number,
  xx: Float64Array,
  xy: Float64Array,
  yy: Float64Array,
): Structure {
  const [along, across, cosine2, sine2] = [0, 1, 2, 3].map(() => new Float64Array(xx.length));
  for (let i = 0; i < xx.length; i++) {
    const [difference, twice] = [xx[i] - yy[i], 2 * xy[i]];
    const root = Math.sqrt(difference * difference + twice * twice);
    along[i] = (xx[i] + yy[i] + root) / 2;
    across[i] = Math.max((xx[i] + yy[i] - root) / 2, 0);
    cosine2[i] = root > 0 ? difference / root : 0;
    sine2[i] = root > 0 ? twice / root : 0;
  }
  return { width, height, along, across, cosine2, sine2 };
}
