import { gaussianNoise } from "../../noise/mod.ts";

/** Short enough to be made at once; a prime, so that no two images or rows are the same. */
const PERIOD = 16_381;

/** Unit Gaussian noise, repeated: kernels do not look for repetition. */
export function noise(draw: number, length: number): Float32Array<ArrayBuffer> {
  const period = gaussianNoise(17n, draw, Math.min(PERIOD, length));
  const values = new Float32Array(length);
  for (let at = 0; at < length; at += period.length) {
    values.set(period.subarray(0, Math.min(period.length, length - at)), at);
  }
  return values;
}

/** Bytes [side, side, 4] of a picture with edges: overlapping discs on a gradient. */
export function picture(side: number): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray(4 * side * side);
  for (let at = 0; at < side * side; at++) {
    const [x, y] = [at % side / side, Math.floor(at / side) / side];
    const rings = Math.floor(8 * Math.hypot(x - 0.5, y - 0.4)) % 2;
    data.set([200 * rings + 40 * x, 255 * y, 160 * (x > y ? 1 : 0), 255], 4 * at);
  }
  return data;
}
