import { AppError } from "../error.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";

/** What comes into a generation beside its request, fitted to the request's size. */
export interface SourceImages {
  readonly image: RgbaImage;
  /** Its red channel: 255 is made anew, 0 is kept. */
  readonly mask?: RgbaImage;
}

/** @throws AppError `invalid_request` when the images are not those that the request names. */
export function checkSource(request: GenerationRequest, images: SourceImages | undefined): void {
  for (const field of ["image", "mask"] as const) {
    const why = mismatch(field, request, images?.[field]);
    if (why) throw new AppError("invalid_request", `Cannot generate: ${why}`, { field });
  }
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
  const { width, height } = given ?? request;
  if (width === request.width && height === request.height) return undefined;
  return `${field} is ${width}x${height}, not ${request.width}x${request.height}`;
}
