import { AppError } from "../../core/error.ts";
import { lanczos, type Upscaler } from "../../core/upscale/mod.ts";

/**
 * What enlarges images, by its name or its file.
 * @param given of `--upscaler`: `lanczos`.
 * @throws AppError `invalid_request` for what is no upscaler.
 */
export function openUpscaler(given: string = lanczos.id): Promise<Upscaler> {
  if (given === lanczos.id) return Promise.resolve(lanczos);
  throw new AppError("invalid_request", `Cannot enlarge: ${given} is not lanczos`);
}
