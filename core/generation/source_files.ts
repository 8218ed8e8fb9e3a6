import { AppError } from "../error.ts";
import { decodeInputImage, resize, type RgbaImage } from "../image/mod.ts";
import {
  type GenerationRequest,
  inputsOf,
  type RequestDefaults,
  type RequestInput,
} from "../request/mod.ts";
import type { SourceImages } from "./source.ts";

/** Files that a generation starts from, decoded as they are. */
export interface SourceFiles {
  readonly image?: SourceFile;
  readonly mask?: SourceFile;
  /** In the order of the request's `control`. */
  readonly controls?: readonly SourceFile[];
}

export interface SourceFile {
  /** Of the file, lower-case hex. */
  readonly sha256: string;
  readonly pixels: RgbaImage;
}

/** As `decodeInputImage`: here, or in a thread of its own. */
export type InputDecoder = (file: Uint8Array<ArrayBuffer>, what: string) => Promise<RgbaImage>;

/** What every model takes a multiple of: six halvings of a side. */
const MULTIPLE = 64;

/**
 * The files that a request names, decoded.
 * @param files by their hashes, which were checked.
 * @throws AppError `invalid_request` for one that is missing or that no field names, for one that is no
 * image, and for a mask that was not drawn on its image.
 */
export async function decodeSources(
  request: Parameters<typeof inputsOf>[0],
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  decode: InputDecoder = decodeInputImage,
): Promise<SourceFiles> {
  const named = inputsOf(request);
  checkNamed(named, files);
  const decoded: (SourceFile & Pick<RequestInput, "field">)[] = [];
  // One after the other: each may be 64 MiB of pixels.
  for (const { field, sha256 } of named) {
    decoded.push({ field, sha256, pixels: await decode(fileOf(files, { field, sha256 }), field) });
  }
  const [image, mask] = ["image", "mask"].map((name) =>
    decoded.find(({ field }) => field === name)
  );
  const controls = decoded.filter(({ field }) => field === "control");
  return checkedSources({ ...(image && { image }), ...(mask && { mask }), controls });
}

/** @throws AppError `invalid_request` for a mask that was not drawn on its image. */
export function checkedSources(files: SourceFiles): SourceFiles {
  const [image, mask] = [files.image?.pixels, files.mask?.pixels];
  if (!image || !mask) return files;
  if (image.width === mask.width && image.height === mask.height) return files;
  throw new AppError(
    "invalid_request",
    `Cannot take the mask: it is ${mask.width}x${mask.height} pixels, and the image ` +
      `${image.width}x${image.height}; draw it on the image, at the same size`,
    { field: "mask" },
  );
}

function checkNamed(
  named: readonly RequestInput[],
  files: ReadonlyMap<string, Uint8Array>,
): void {
  const hashes = new Set(named.map(({ sha256 }) => sha256));
  for (const sha256 of files.keys()) {
    if (hashes.has(sha256)) continue;
    throw new AppError(
      "invalid_request",
      `Cannot take the file ${short(sha256)}: no field of the request names it`,
    );
  }
}

function fileOf(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  { field, sha256 }: RequestInput,
): Uint8Array<ArrayBuffer> {
  const file = files.get(sha256);
  if (file) return file;
  throw new AppError(
    "invalid_request",
    `Cannot generate: ${field} is ${short(sha256)}, and no such file came with the request; send ` +
      "it beside the request, as a part with its hash for a name",
    { field },
  );
}

function short(sha256: string): string {
  return `${sha256.slice(0, 12)}...`;
}

/** Of the files that a generation starts from, the sizes. */
export interface SourceShapes {
  readonly image?: { readonly pixels: Pick<RgbaImage, "width" | "height"> };
  readonly controls?: readonly { readonly pixels: Pick<RgbaImage, "width" | "height"> }[];
}

/** The shape of the image, or else of the first control image, where the request asks for no size. */
export function sizeOfSource(
  { image, controls: [control] = [] }: SourceShapes,
  asked: { readonly width: number | undefined; readonly height: number | undefined },
  defaults: Pick<RequestDefaults, "width" | "height">,
): Partial<Pick<RequestDefaults, "width" | "height">> {
  const shape = image ?? control;
  if (!shape || asked.width !== undefined || asked.height !== undefined) return {};
  return sizeFor(shape.pixels, defaults);
}

/** The image's shape at about the model's own number of pixels. */
function sizeFor(
  { width, height }: Pick<RgbaImage, "width" | "height">,
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
