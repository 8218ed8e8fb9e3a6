import { AppError } from "../../../core/error.ts";
import type { Refinement } from "../../../core/protocol/mod.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import { enlargedSize } from "../../../core/upscale/mod.ts";

/** A request, and the one that goes on from its enlarged image. @throws as {@link refinedRequest}. */
export function runsOf(
  request: GenerationRequest,
  refinement: Refinement | undefined,
): GenerationRequest[] {
  return refinement ? [request, refinedRequest(request, refinement)] : [request];
}

/**
 * The second run, but for its image and its parent, which are not there yet.
 * @throws AppError `invalid_request` for a size that is not made, and for a mask, which is of the first image.
 */
export function refinedRequest(
  request: GenerationRequest,
  { upscale, refine }: Refinement,
): GenerationRequest {
  if (request.mask !== undefined) {
    throw new AppError(
      "invalid_request",
      "Cannot generate: upscale enlarges a whole image, and a mask is given; leave one out",
      { field: "upscale" },
    );
  }
  const size = enlargedSize(request, upscale);
  // Any hash: what can be made depends on whether there is one.
  return { ...request, ...size, strength: refine, image: "0".repeat(64) };
}
