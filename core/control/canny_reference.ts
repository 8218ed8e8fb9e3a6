/** How edges are found. */
export interface CannyOptions {
  /** Thresholds of |dx| + |dy|; OpenCV's usual 100 and 200. */
  readonly low: number;
  readonly high: number;
  /** Blurs first: 1 for GaussianBlur 3x3, 2 for 5x5; 0 for none, as cv2.Canny itself does. */
  readonly blurRadius?: 0 | 1 | 2;
}

/** 8-bit RGBA, row by row; alpha is unread. */
export interface RgbaPixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** tan(22.5 degrees) in 15-bit fixed point, as OpenCV rounds it. */
const TAN_22 = 13573;
/** Binomial weights by distance from the middle. */
const WEIGHTS: readonly (readonly number[])[] = [[1], [2, 1], [6, 4, 1]];

/**
 * cv2.Canny(image, low, high) of an 8-bit colour image (aperture 3, L1 gradient), bit for bit; with
 * `blurRadius` of cv2.GaussianBlur(image, (k, k), 0). CPU reference of `shaders/canny_*.wgsl`.
 * @returns u8[height, width]: 255 on edges, 0 elsewhere.
 * @see OpenCV 4, modules/imgproc/src/canny.cpp.
 */
export function cannyReference(image: RgbaPixels, options: CannyOptions): Uint8Array<ArrayBuffer> {
  const { blurRadius = 0 } = options;
  const source = blurRadius ? gaussianBlurReference(image, blurRadius) : image;
  const field = gradients(source);
  const marks = new Uint8Array(field.dx.length);
  const strong: number[] = [];
  for (let at = 0; at < marks.length; at++) {
    const here = field.size(at % image.width, Math.floor(at / image.width));
    if (here <= options.low || !isRidge(field, at, here)) continue;
    marks[at] = here > options.high ? 2 : 1;
    if (marks[at] === 2) strong.push(at);
  }
  trace(marks, strong, image);
  return marks.map((mark) => mark === 2 ? 255 : 0);
}

interface Field {
  readonly width: number;
  readonly dx: Int16Array;
  readonly dy: Int16Array;
  /** |dx| + |dy|; zero outside the image. */
  readonly size: (x: number, y: number) => number;
}

/** Sobel 3x3 with repeated borders: of each pixel the channel of the largest |dx| + |dy|. */
function gradients({ width, height, data }: RgbaPixels): Field {
  const dx = new Int16Array(width * height);
  const dy = new Int16Array(width * height);
  const value = (x: number, y: number, channel: number) =>
    data[4 * (within(y, height) * width + within(x, width)) + channel];
  const slope = (x: number, y: number, c: number) => {
    const v = (ox: number, oy: number) => value(x + ox, y + oy, c);
    return [
      v(1, -1) + 2 * v(1, 0) + v(1, 1) - v(-1, -1) - 2 * v(-1, 0) - v(-1, 1),
      v(-1, 1) + 2 * v(0, 1) + v(1, 1) - v(-1, -1) - 2 * v(0, -1) - v(1, -1),
    ];
  };
  for (let at = 0; at < dx.length; at++) {
    const slopes = [0, 1, 2].map((channel) => slope(at % width, Math.floor(at / width), channel));
    [dx[at], dy[at]] = slopes.reduce((best, other) => l1(other) > l1(best) ? other : best);
  }
  const size = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= height
      ? 0
      : Math.abs(dx[y * width + x]) + Math.abs(dy[y * width + x]);
  return { width, dx, dy, size };
}

/** Whether a pixel is no smaller than its neighbours across the edge, unevenly as OpenCV is. */
function isRidge({ width, dx, dy, size }: Field, at: number, here: number): boolean {
  const x = at % width;
  const y = Math.floor(at / width);
  const flat = Math.abs(dx[at]) * TAN_22;
  const rise = Math.abs(dy[at]) * 2 ** 15;
  if (rise < flat) return here > size(x - 1, y) && here >= size(x + 1, y);
  if (rise > flat + Math.abs(dx[at]) * 2 ** 16) {
    return here > size(x, y - 1) && here >= size(x, y + 1);
  }
  const side = (dx[at] ^ dy[at]) < 0 ? -1 : 1;
  return here > size(x - side, y - 1) && here > size(x + side, y + 1);
}

/** Weak marks that touch a strong one, also diagonally, become strong. */
function trace(marks: Uint8Array, strong: number[], { width, height }: RgbaPixels): void {
  for (let at = strong.pop(); at !== undefined; at = strong.pop()) {
    const x = at % width;
    const y = Math.floor(at / width);
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const next = ny * width + nx;
        if (marks[next] !== 1) continue;
        marks[next] = 2;
        strong.push(next);
      }
    }
  }
}

/**
 * cv2.GaussianBlur(image, (k, k), 0) with k = 2 * radius + 1, bit for bit: binomial weights, borders
 * mirrored about the outermost pixel, one rounding (half up). Alpha is kept.
 */
export function gaussianBlurReference(image: RgbaPixels, radius: 1 | 2): RgbaPixels {
  const { width, height, data } = image;
  const blurred = data.slice();
  const offsets = Array.from({ length: 2 * radius + 1 }, (_, k) => k - radius);
  const weight = (offset: number) => WEIGHTS[radius][Math.abs(offset)];
  const shift = 4 * radius;
  for (let at = 0; at < width * height; at++) {
    const columns = offsets.map((offset) => mirrored(at % width + offset, width));
    const rows = offsets.map((offset) => mirrored(Math.floor(at / width) + offset, height));
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (const [j, row] of rows.entries()) {
        for (const [i, column] of columns.entries()) {
          const colour = data[4 * (row * width + column) + channel];
          sum += weight(offsets[i]) * weight(offsets[j]) * colour;
        }
      }
      blurred[4 * at + channel] = (sum + (1 << (shift - 1))) >> shift;
    }
  }
  return { width, height, data: blurred };
}

function l1([dx, dy]: readonly number[]): number {
  return Math.abs(dx) + Math.abs(dy);
}

function within(index: number, length: number): number {
  return Math.max(0, Math.min(length - 1, index));
}

function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  let i = index;
  while (i < 0 || i >= length) i = i < 0 ? -i : 2 * (length - 1) - i;
  return i;
}
