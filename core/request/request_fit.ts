import { AppError } from "../error.ts";
import { counted } from "../counted.ts";
import { checkControls, type DenoiserConfig, type ModelConfig } from "../model/mod.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import { REQUEST_LIMITS } from "../request_limits.ts";
import { stepsTaken } from "../schedule/mod.ts";
import type { Planner } from "./plan_choice.ts";
import type { AdapterUse, GenerationRequest, RequestDefaults } from "./request.ts";

/** That a model was opened with, in their order. */
type KnownAdapters = readonly Pick<AdapterUse, "sha256">[] | undefined;

/** A model, as far as it decides what can be asked of it. */
interface Fitting extends Pick<ModelConfig, "denoiser"> {
  readonly plans: Planner;
  readonly adapters: KnownAdapters;
  /** ControlNets that it was opened with; by default none. */
  readonly controls?: readonly string[];
  /** Whether it has the VAE's encoder, which images that come in need. */
  readonly encodes: boolean;
}

/**
 * Whether a model can make what is asked: its solver has such a plan, its network such a size, and it
 * was opened with the adapters and the ControlNets.
 * @throws AppError `invalid_request`, `invalid_config`, `unsupported_setting` naming the field.
 */
export function checkFit(
  { plans, denoiser, adapters, controls = [], encodes }: Fitting,
  request: GenerationRequest,
): void {
  if (request.image !== undefined && !encodes) {
    throw new AppError(
      "invalid_request",
      "Cannot generate: image is given, and this model has no encoder of its VAE, by which a run " +
        "starts from one; leave image, mask and strength out",
      { field: "image" },
    );
  }
  checkControls(controls, request.control.map(({ network }) => network));
  plans(request);
  checkSize(denoiser, request);
  adapterScales(adapters, request);
}

/**
 * How far a request lets each adapter of a model change its weights: 0 for those that it does not name.
 * @throws AppError `unsupported_setting` for an adapter that the model was not opened with.
 */
export function adapterScales(
  known: KnownAdapters = [],
  { adapters }: Pick<GenerationRequest, "adapters">,
): number[] {
  const unknown = adapters.find(({ sha256 }) => known.every((each) => each.sha256 !== sha256));
  if (unknown) throw unknownAdapter(unknown, known);
  return known.map(({ sha256 }) =>
    adapters.reduce((sum, use) => use.sha256 === sha256 ? sum + use.scale : sum, 0)
  );
}

function unknownAdapter(
  { sha256 }: AdapterUse,
  known: readonly Pick<AdapterUse, "sha256">[],
): AppError {
  const names = known.map((each) => `${each.sha256.slice(0, 12)}...`).join(", ") || "none";
  return new AppError(
    "unsupported_setting",
    `Cannot generate: adapters has ${
      sha256.slice(0, 12)
    }..., and the model was opened with ${names}`,
    { field: "adapters" },
  );
}

/** @throws AppError `invalid_request` for a size that the network cannot take. */
export function checkSize(denoiser: DenoiserConfig, request: GenerationRequest): void {
  const multiple = LATENT_SCALE * denoiser.multiple;
  const largest = LATENT_SCALE * (denoiser.largest ?? Infinity);
  for (const side of ["width", "height"] as const) {
    const pixels = request[side];
    if (pixels > largest) {
      throw new AppError(
        "invalid_request",
        `Cannot generate: ${side} is ${pixels}, more than the ${largest} pixels that this model has places ` +
          "for",
        { field: side },
      );
    }
    if (pixels % multiple === 0) continue;
    throw new AppError(
      "invalid_request",
      `Cannot generate: ${side} is ${pixels}, not a multiple of ${multiple} pixels, which ` +
        `this model needs; ${nearest(pixels, multiple)}`,
      { field: side },
    );
  }
}

function nearest(pixels: number, multiple: number): string {
  const below = pixels - pixels % multiple;
  const above = below + multiple;
  if (below === 0) return `the least is ${above}`;
  return above > REQUEST_LIMITS.side ? `${below} fits` : `${below} and ${above} fit`;
}

/** What the work of a request follows from. */
type Working =
  & Pick<GenerationRequest, "width" | "height" | "steps" | "batch">
  & Partial<Pick<GenerationRequest, "image" | "strength" | "control">>;

/**
 * Steps that the VAE's encoder takes about as long as, once a request: at 512 pixels SD's has some
 * 0.54 T multiplications, and a step of its UNet with guidance 0.68 T.
 */
const ENCODER_STEPS = 1;

/** Steps that a ControlNet takes about as long as, at each step that it is used at: of SD's UNet it has half. */
const CONTROL_STEPS = 0.5;

/**
 * Work grows with pixels, images, and the steps that are taken: from an image, by its strength, not all;
 * and with ControlNets while they are used.
 * @returns in images of the default size and steps.
 */
export function workOf(
  { width, height, steps, batch, image, strength, control = [] }: Working,
  defaults: Pick<RequestDefaults, "width" | "height" | "steps">,
): number {
  const controlled = control.reduce((sum, { start, end }) => sum + end - start, 0);
  const each = 1 + CONTROL_STEPS * controlled;
  const taken = Math.max(1, stepsTaken(steps, strength)) * each * batch +
    (image === undefined ? 0 : ENCODER_STEPS);
  return width * height * taken / (defaults.width * defaults.height * defaults.steps);
}

/**
 * @param max in images of the default size and steps.
 * @throws AppError `invalid_request` for more.
 */
export function checkWork(
  request: Working,
  defaults: Pick<RequestDefaults, "width" | "height" | "steps">,
  max: number,
): void {
  const { width, height, steps } = request;
  const work = workOf(request, defaults);
  if (work <= max) return;
  throw new AppError(
    "invalid_request",
    `Cannot generate: ${width} x ${height} pixels at ${counted(steps, "step")} are ${
      Math.ceil(work)
    } times ` +
      `the work of the model's default image, not at most ${max}; ask for less`,
  );
}
