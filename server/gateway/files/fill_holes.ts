import type { RgbaImage } from "../../../core/image/mod.ts";

/** Colours and how much of each is known: f64[height, width, 4]. */
interface Level {
  readonly width: number;
  readonly height: number;
  readonly data: Float64Array;
}

/**
 * An image whose masked part is filled with the colours around it: from coarse to fine each hole takes what
 * is known of the square that it lies in, as AUTOMATIC1111's "fill" does by blurring.
 * @param mask of the same size; white is a hole.
 */
export function fillHoles(image: RgbaImage, mask: RgbaImage): RgbaImage {
  const { width, height } = image;
  const known = new Float64Array(4 * width * height);
  for (let k = 0; k < known.length; k += 4) {
    if (mask.data[k] >= 128) continue;
    for (let channel = 0; channel < 3; channel++) known[k + channel] = image.data[k + channel];
    known[k + 3] = 1;
  }
  const { data } = filled({ width, height, data: known });
  const result = new Uint8ClampedArray(data.length);
  for (let k = 0; k < data.length; k++) result[k] = k % 4 === 3 ? 255 : data[k];
  return { width, height, data: result };
}

function filled(level: Level): Level {
  const { width, height, data } = level;
  if (width === 1 && height === 1) return level;
  const coarse = filled(halved(level));
  const result = data.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      if (result[at + 3] > 0) continue;
      const from = 4 * ((y >> 1) * coarse.width + (x >> 1));
      result.set(coarse.data.subarray(from, from + 4), at);
    }
  }
  return { width, height, data: result };
}

/** Means of what is known of two by two. */
function halved({ width, height, data }: Level): Level {
  const [wide, high] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const sums = new Float64Array(4 * wide * high);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [from, to] = [4 * (y * width + x), 4 * ((y >> 1) * wide + (x >> 1))];
      const weight = data[from + 3];
      for (let channel = 0; channel < 3; channel++) {
        sums[to + channel] += weight * data[from + channel];
      }
      sums[to + 3] += weight;
    }
  }
  for (let k = 0; k < sums.length; k += 4) {
    const weight = sums[k + 3];
    if (weight === 0) continue;
    for (let channel = 0; channel < 3; channel++) sums[k + channel] /= weight;
    sums[k + 3] = 1;
  }
  return { width: wide, height: high, data: sums };
}
