import { AppError } from "../error.ts";
import { REQUEST_LIMITS } from "../request_limits.ts";
import type { Size } from "./upscaler.ts";

/** What every model takes a multiple of: six halvings of a side. */
const MULTIPLE = 64;

/**
 * The size at a factor: exact where the sides are whole multiples of 8, which the first image of a model
 * gives; else rounded to a size that every model takes.
 * @throws AppError `invalid_request` for more than a request may have.
 */
export function enlargedSize({ width, height }: Size, factor: number): Size {
  const scaled = [width * factor, height * factor];
  const fits = scaled.every((side) => side % 8 === 0);
  const [wide, high] = fits
    ? scaled
    : scaled.map((side) => Math.max(Math.round(side / MULTIPLE), 1) * MULTIPLE);
  if (wide > REQUEST_LIMITS.side || high > REQUEST_LIMITS.side) {
    throw new AppError(
      "invalid_request",
      `Cannot enlarge: ${width}x${height} times ${factor} is ${wide}x${high} pixels, at most ` +
        `${REQUEST_LIMITS.side} a side are made; give a smaller factor`,
      { field: "upscale" },
    );
  }
  return { width: wide, height: high };
}
