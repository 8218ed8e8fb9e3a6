import { z } from "zod";
import { AppError } from "../error.ts";

/** An image that is enlarged, and drawn anew from there. */
export interface Refinement {
  /** Times its width and height. */
  readonly upscale: number;
  /** Strength of the second run. */
  readonly refine: number;
}

/** Keeps the picture and draws its details anew. */
const DEFAULT_REFINE = 0.35;
const MAX_UPSCALE = 4;

/** Fields of a call for an image, beside its request. */
export const refinementFields = {
  /** Makes the image, enlarges it so many times, and draws it anew: two receipts. */
  upscale: z.number().gt(1).max(MAX_UPSCALE).optional(),
  /** Strength of the second run, above 0, at most 1; 0.35 where it is left out. */
  refine: z.number().gt(0).max(1).optional(),
};

/** @throws AppError `invalid_request` for a strength of nothing. */
export function refinementOf(
  { upscale, refine }: Partial<Refinement>,
): Refinement | undefined {
  if (upscale !== undefined) return { upscale, refine: refine ?? DEFAULT_REFINE };
  if (refine === undefined) return undefined;
  throw new AppError(
    "invalid_request",
    `Cannot take the request: refine is ${refine}, and upscale, of which it is a part, is left out`,
    { field: "refine" },
  );
}
