import type { RgbaImage } from "./image.ts";

/** Pixels of the picture that is looked at, and waves a side that are kept of it. */
const SIDE = 64;
const WAVES = 16;
/** Bits of a hash. */
export const HASH_BITS = WAVES * WAVES;

/** The cosines of a transform (DCT-II): f64[WAVES, SIDE]. */
const COSINES = Array.from({ length: WAVES }, (_, wave) =>
  Float64Array.from(
    { length: SIDE },
    (_, x) => Math.cos(Math.PI * wave * (x + 0.5) / SIDE),
  ));

/**
 * What an image looks like, in 256 bits as 64 hex digits: whether each of the slowest 16x16 waves of its
 * brightness is above their median. Encoding and scaling change few of them, another picture half;
 * cutting, turning or mirroring makes it another picture.
 * @see https://phash.org/docs/pubs/thesis_zauner.pdf, section 3.2.1, of 64 bits there
 */
export function perceptualHash(image: RgbaImage): string {
  const brightness = brightnessOf(image);
  const waves = Float64Array.from(
    { length: HASH_BITS },
    (_, k) => waveOf(brightness, Math.floor(k / WAVES), k % WAVES),
  );
  const median = waves.toSorted()[HASH_BITS / 2];
  let hash = "";
  for (let k = 0; k < HASH_BITS; k += 4) {
    const digit = [0, 1, 2, 3].reduce((sum, bit) => 2 * sum + Number(waves[k + bit] > median), 0);
    hash += digit.toString(16);
  }
  return hash;
}

/** Bits in which two hashes differ. */
export function hashDistance(one: string, other: string): number {
  let distance = 0;
  for (let k = 0; k < one.length; k++) {
    let bits = parseInt(one[k], 16) ^ parseInt(other[k], 16);
    for (; bits; bits &= bits - 1) distance++;
  }
  return distance;
}

/** Of SIDE x SIDE cells, by ITU-R BT.601: the mean of the pixels that each covers, as far as it does. */
function brightnessOf({ width, height, data }: RgbaImage): Float64Array {
  const cells = new Float64Array(SIDE * SIDE);
  const [across, down] = [coverOf(width), coverOf(height)];
  const light = new Float64Array(width);
  const row = new Float64Array(SIDE);
  for (let i = 0, done = -1; i < down.cells.length; i++) {
    const y = down.pixels[i];
    if (y !== done) readRow(y);
    done = y;
    for (let x = 0; x < SIDE; x++) cells[down.cells[i] * SIDE + x] += row[x] * down.shares[i];
  }
  return cells;

  function readRow(y: number): void {
    for (let x = 0, k = 4 * y * width; x < width; x++, k += 4) {
      light[x] = 0.299 * data[k] + 0.587 * data[k + 1] + 0.114 * data[k + 2];
    }
    row.fill(0);
    for (let i = 0; i < across.cells.length; i++) {
      row[across.cells[i]] += light[across.pixels[i]] * across.shares[i];
    }
  }
}

/** Which cells so many pixels lie in, pixel by pixel, and how much of a cell each is. */
function coverOf(count: number) {
  const [pixels, cells, shares]: [number[], number[], number[]] = [[], [], []];
  for (let pixel = 0; pixel < count; pixel++) {
    const [from, to] = [pixel * SIDE / count, Math.min((pixel + 1) * SIDE / count, SIDE)];
    for (let cell = Math.floor(from); cell < to; cell++) {
      pixels.push(pixel);
      cells.push(cell);
      shares.push(Math.min(to, cell + 1) - Math.max(from, cell));
    }
  }
  return { pixels, cells, shares };
}

function waveOf(brightness: Float64Array, row: number, column: number): number {
  let sum = 0;
  for (let y = 0; y < SIDE; y++) {
    let across = 0;
    for (let x = 0; x < SIDE; x++) across += COSINES[column][x] * brightness[y * SIDE + x];
    sum += COSINES[row][y] * across;
  }
  return sum;
}
