import { AppError } from "../../core/error.ts";
import { LATENT_SCALE } from "../../core/latent_scale.ts";
import { MIN_SIDE, REQUEST_LIMITS } from "../../core/request_limits.ts";

/** @throws AppError `invalid_request` naming the flag. */
export function wholeFlag(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most) {
    return value;
  }
  return refuse(flag, text, `a whole number from ${least} to ${most}`);
}

/** Pixels of an image's side. @throws AppError `invalid_request` naming the flag. */
export function sideFlag(
  flag: string,
  text: string,
  least: number = MIN_SIDE,
  most: number = REQUEST_LIMITS.side,
): number {
  const pixels = wholeFlag(flag, text, least, most);
  if (pixels % LATENT_SCALE === 0) return pixels;
  return refuse(flag, text, `a multiple of ${LATENT_SCALE}`);
}

/** Steps of a generation. @throws AppError `invalid_request` naming the flag. */
export function stepsFlag(flag: string, text: string): number {
  return wholeFlag(flag, text, 1, REQUEST_LIMITS.steps);
}

/** @throws AppError `invalid_request` naming the flag. */
export function numberFlag(flag: string, text: string, least: number, most = Infinity): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  return refuse(
    flag,
    text,
    most === Infinity ? `a number from ${least} on` : `${least} to ${most}`,
  );
}

function refuse(flag: string, text: string, range: string): never {
  throw new AppError("invalid_request", `Cannot start: ${flag} is ${text}, not ${range}`);
}
