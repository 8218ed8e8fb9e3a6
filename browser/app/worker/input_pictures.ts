import { controlHint } from "../../../core/control/mod.ts";
import { sizeOfSource, type SourceImages } from "../../../core/generation/mod.ts";
import { decodeInputImage, resize, type RgbaImage } from "../../../core/image/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import type { Picture, SourcePictures } from "../api/mod.ts";

/** What a run was made from, for people; edges are those that the network read. */
export async function picturesOf(
  { image, mask, controls = [] }: SourceImages,
  { request: { control = [] } }: Receipt,
): Promise<SourcePictures> {
  const pictures = control.map(async ({ preprocess, scale }, k) => ({
    // What it says may be anything: its check refuses what is no number.
    scale: typeof scale === "number" ? scale : 1,
    ...(controls[k] && { image: copyOf(controls[k]) }),
    ...(controls[k] && preprocess === "canny" && { edges: await edgesOf(controls[k]) }),
  }));
  return {
    ...(image && { image: copyOf(image) }),
    ...(mask && { mask: copyOf(mask) }),
    controls: await Promise.all(pictures),
  };
}

/** Of the embedded model. */
const SIZE = { width: 256, height: 256 };

/** What would be found in a picture. @throws AppError `invalid_request` for a file that is none. */
export async function edgesOfFile(file: Blob): Promise<Picture> {
  const pixels = await decodeInputImage(new Uint8Array(await file.arrayBuffer()), "control");
  const asked = { width: undefined, height: undefined };
  const shape = sizeOfSource({ controls: [{ pixels }] }, asked, SIZE);
  return await edgesOf(resize(pixels, { ...SIZE, ...shape }));
}

function copyOf({ width, height, data }: RgbaImage): Picture {
  return { width, height, data: new Uint8ClampedArray(data) };
}

async function edgesOf(image: RgbaImage): Promise<Picture> {
  const { width, height } = image;
  const hint = await controlHint(image, "canny", undefined);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) data.fill(255 * hint[i], 4 * i, 4 * i + 3);
  return { width, height, data };
}
