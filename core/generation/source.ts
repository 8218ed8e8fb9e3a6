import { counted } from "../counted.ts";
import { AppError } from "../error.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { Source } from "../schedule/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";

/** What comes into a generation beside its request, fitted to the request's size. */
export interface SourceImages {
  readonly image?: RgbaImage;
  /** Its red channel: 255 is made anew, 0 is kept. */
  readonly mask?: RgbaImage;
  /** One for each use that the request's `control` lists, before its edges are drawn. */
  readonly controls?: readonly RgbaImage[];
}

/** What of it the network reads at each step. */
export interface NetworkImages extends Pick<SourceImages, "controls"> {
  /** As the run committed it: an inpainting network reads its mask, and what that keeps. */
  readonly source?: Pick<Source, "mask" | "kept">;
}

/** @throws AppError `invalid_request` when the images are not those that the request names. */
export function checkSource(request: GenerationRequest, images: SourceImages | undefined): void {
  for (const field of ["image", "mask"] as const) {
    refuse(field, mismatch(field, request, images?.[field]));
  }
  checkControls(request, images);
}

/** @throws AppError `invalid_request` when the control images are not those that the request names. */
export function checkControls(
  request: GenerationRequest,
  images: Pick<SourceImages, "controls"> | undefined,
): void {
  const given = images?.controls ?? [];
  const { length } = request.control;
  if (given.length !== length) {
    refuse("control", `control names ${counted(length, "image")}, and ${given.length} are given`);
  }
  for (const image of given) refuse("control", wrongSize("control", request, image));
}

function refuse(field: string, why: string | undefined): void {
  if (why) throw new AppError("invalid_request", `Cannot generate: ${why}`, { field });
}

function mismatch(
  field: "image" | "mask",
  request: GenerationRequest,
  given: RgbaImage | undefined,
): string | undefined {
  if (request[field] !== undefined && !given) return `the file of ${field} is missing`;
  if (request[field] === undefined && given) {
    return `a file is given for ${field}, which is not named`;
  }
  return given && wrongSize(field, request, given);
}

function wrongSize(
  field: string,
  request: GenerationRequest,
  { width, height }: RgbaImage,
): string | undefined {
  if (width === request.width && height === request.height) return undefined;
  return `${field} is ${width}x${height}, not ${request.width}x${request.height}`;
}
