import {
  type ImageCodec,
  imageCodec,
  type ImageFormat,
  type RgbaImage,
  textIn,
  withText,
} from "../../core/image/mod.ts";

/** Of the shorter side. */
const SIZE = 0.09;
const MARGIN = 0.03;
const OPACITY = 0.75;
/** Strokes of the sign in a unit square: left, top, right, bottom. */
const STROKES = [[0.05, 0.1, 0.95, 0.27], [0.41, 0.1, 0.59, 0.92]] as const;
/** Around the strokes, so that it is seen on a white ground too. */
const RIM = 0.05;

/** The subnet's sign in the lower right corner, white with a dark rim. */
export function withWatermark(image: RgbaImage): RgbaImage {
  const { width, height } = image;
  const data = image.data.slice();
  const side = Math.max(8, Math.round(SIZE * Math.min(width, height)));
  const margin = Math.round(MARGIN * Math.min(width, height));
  const [left, top] = [width - side - margin, height - side - margin];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const shade = shadeAt((x + 0.5) / side, (y + 0.5) / side);
      if (shade === undefined || left + x < 0 || top + y < 0) continue;
      const at = 4 * ((top + y) * width + left + x);
      for (let channel = 0; channel < 3; channel++) {
        data[at + channel] += OPACITY * (shade - data[at + channel]);
      }
    }
  }
  return { width, height, data };
}

function shadeAt(x: number, y: number): number | undefined {
  const within = (by: number) =>
    STROKES.some(([left, top, right, bottom]) =>
      x >= left - by && x <= right + by && y >= top - by && y <= bottom + by
    );
  return within(0) ? 255 : within(RIM) ? 0 : undefined;
}

/** What is written beside the picture stays. @throws AppError `encoding_failed` for a file that is not such an image. */
export async function watermarkFile(
  file: Uint8Array<ArrayBuffer>,
  format: ImageFormat,
  size: { readonly width: number; readonly height: number },
  codec: ImageCodec = imageCodec,
): Promise<Uint8Array<ArrayBuffer>> {
  const marked = await codec.encode(withWatermark(await codec.decode(file, format, size)), format);
  const text = textIn(file, format);
  return text === undefined ? marked : withText(marked, format, text);
}
