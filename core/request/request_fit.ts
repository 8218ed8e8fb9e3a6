import { AppError } from "../error.ts";
import type { ModelConfig } from "../model/mod.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { Planner } from "./plan_choice.ts";
import type { GenerationRequest, RequestDefaults } from "./request.ts";

/**
 * Whether a model can make what is asked: its solver has such a plan, its network such a size.
 * @throws AppError `invalid_request`, `invalid_config`, `unsupported_setting` naming the field.
 */
export function checkFit(
  { plans, unet }: Pick<ModelConfig, "unet"> & { readonly plans: Planner },
  request: GenerationRequest,
): void {
  plans(request);
  checkSize(unet, request);
}

/** @throws AppError `invalid_request` for a size that the network cannot take. */
export function checkSize(unet: ModelConfig["unet"], request: GenerationRequest): void {
  // Every block but the last halves the latent; an exported graph doubles it by fixed factors, and
  // cannot put together again what an odd side was halved to.
  const multiple = LATENT_SCALE * 2 ** (unet.block_out_channels.length - 1);
  for (const side of ["width", "height"] as const) {
    if (request[side] % multiple === 0) continue;
    throw new AppError(
      "invalid_request",
      `Cannot generate: ${side} is ${request[side]}, not a multiple of ${multiple} pixels, which ` +
        "this model needs",
      { field: side },
    );
  }
}

/**
 * Work grows with pixels, steps and images.
 * @param max in images of the default size and steps.
 * @throws AppError `invalid_request` for more.
 */
export function checkWork(
  request: Pick<GenerationRequest, "width" | "height" | "steps" | "batch">,
  defaults: Pick<RequestDefaults, "width" | "height" | "steps">,
  max: number,
): void {
  const { width, height, steps, batch } = request;
  const one = defaults.width * defaults.height * defaults.steps;
  const work = width * height * steps * batch / one;
  if (work <= max) return;
  throw new AppError(
    "invalid_request",
    `Cannot generate: ${width} x ${height} pixels at ${steps} steps are ${Math.ceil(work)} times ` +
      `the work of the model's default image, not at most ${max}; ask for less`,
  );
}
