import { AppError, reason } from "../../core/error.ts";
import type { SourceImages } from "../../core/generation/mod.ts";
import { decodeInputImage, MAX_INPUT_BYTES, resize, type RgbaImage } from "../../core/image/mod.ts";
import type { GenerationRequest, RequestDefaults } from "../../core/request/mod.ts";
import { fileHash } from "../../core/transcript/mod.ts";
import { readAtMost } from "../storage/mod.ts";

/** Files that a generation starts from, as they are. */
export interface SourceFiles {
  readonly image?: SourceFile;
  readonly mask?: SourceFile;
  /** In the order of the request's `control`. */
  readonly controls?: readonly SourceFile[];
}

interface SourceFile {
  readonly sha256: string;
  readonly pixels: RgbaImage;
}

/** What every model takes a multiple of: six halvings of a side. */
const MULTIPLE = 64;

/** @throws AppError `invalid_request` for a file that is not there, or no image. */
export async function readSources(
  paths: {
    readonly image?: string;
    readonly mask?: string;
    readonly controls?: readonly string[];
  },
): Promise<SourceFiles> {
  const [image, mask] = await Promise.all(
    (["image", "mask"] as const).map((what) => paths[what] && readSource(paths[what], what)),
  );
  const controls: SourceFile[] = [];
  for (const path of paths.controls ?? []) controls.push(await readSource(path, "control"));
  return { ...(image && { image }), ...(mask && { mask }), controls };
}

async function readSource(path: string, what: string): Promise<SourceFile> {
  const name = `the ${what} ${path}`;
  const file = await readAtMost(path, MAX_INPUT_BYTES, name).catch((cause) => {
    throw new AppError("invalid_request", reason(cause), { field: what, cause });
  });
  return { sha256: fileHash(file), pixels: await decodeInputImage(file, what) };
}

/** The shape of the image, or else of the first control image, where the request asks for no size. */
export function sizeOfSource(
  { image, controls: [control] = [] }: SourceFiles,
  asked: { readonly width: number | undefined; readonly height: number | undefined },
  defaults: Pick<RequestDefaults, "width" | "height">,
): Partial<Pick<RequestDefaults, "width" | "height">> {
  const shape = image ?? control;
  if (!shape || asked.width !== undefined || asked.height !== undefined) return {};
  return sizeFor(shape.pixels, defaults);
}

/** The image's shape at about the model's own number of pixels. */
function sizeFor(
  { width, height }: RgbaImage,
  defaults: Pick<RequestDefaults, "width" | "height">,
): Pick<RequestDefaults, "width" | "height"> {
  const scale = Math.sqrt(defaults.width * defaults.height / (width * height));
  const fitted = (side: number) => Math.max(Math.round(side * scale / MULTIPLE), 1) * MULTIPLE;
  return { width: fitted(width), height: fitted(height) };
}

/** The files as an engine takes them: at the request's size. */
export function fittedSources(
  { image, mask, controls = [] }: SourceFiles,
  request: Pick<GenerationRequest, "width" | "height">,
): SourceImages | undefined {
  if (!image && controls.length === 0) return undefined;
  return {
    ...(image && { image: resize(image.pixels, request) }),
    ...(mask && { mask: resize(mask.pixels, request) }),
    controls: controls.map(({ pixels }) => resize(pixels, request)),
  };
}
