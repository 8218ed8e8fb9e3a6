import { refuse, solverClasses } from "./config.ts";

/**
 * diffusers' schedulers that are not planned here, and add noise to an image as those do that are: by
 * betas over training steps. A network that was published with one runs with any other.
 * @see diffusers.schedulers.KarrasDiffusionSchedulers.
 */
const SAME_NOISE: ReadonlySet<unknown> = new Set([
  "DDPMParallelScheduler",
  "DPMSolverSDEScheduler",
  "SASolverScheduler",
]);

/** Noise levels and a scale of the network's input of their own, without betas. */
const OWN_NOISE: Readonly<Record<string, string>> = {
  CosineDPMSolverMultistepScheduler: "EDM",
  KarrasVeScheduler: "EDM",
  CMStochasticIterativeScheduler: "consistency models",
  ScoreSdeVeScheduler: "score SDEs",
  ScoreSdeVpScheduler: "score SDEs",
  DDPMWuerstchenScheduler: "Wuerstchen",
  VQDiffusionScheduler: "VQ diffusion",
  AmusedScheduler: "masked tokens",
};

/**
 * True where a model's own scheduler is not planned and another solver may stand in for it, as its
 * noise is the same; where none is named, too.
 * @param own The model's `scheduler_config.json`.
 */
export function needsStandIn(own: Readonly<Record<string, unknown>>): boolean {
  const name = own._class_name;
  if (name === "PNDMScheduler") return own.skip_prk_steps !== true;
  // Its default clips, which other solvers never did.
  if (name === "DDPMScheduler") return (own.clip_sample ?? undefined) === undefined;
  if (solverClasses.some((solver) => solver === name)) return false;
  return name === undefined || SAME_NOISE.has(name) || String(name).startsWith("FlowMatch");
}

const isEdm = (name: unknown) => String(name).startsWith("EDM");

/**
 * Refuses a model that a scheduler here cannot denoise: its network takes noise of another scale,
 * and would draw something else silently.
 * @param own The model's `scheduler_config.json`.
 * @param chosen `_class_name` of the scheduler in use.
 * @throws AppError `unsupported_setting` naming the class.
 */
export function refuseForeignNoise(
  own: Readonly<Record<string, unknown>>,
  chosen: unknown,
): void {
  const name = own._class_name;
  if (typeof name === "string" && Object.hasOwn(OWN_NOISE, name)) {
    const why = `and a network with the noise of ${OWN_NOISE[name]} has no other scheduler here`;
    refuse("unsupported_setting", "_class_name", name, why);
  }
  if (isEdm(name) && !isEdm(chosen)) {
    const why = "whose noise other schedulers do not have; pick edm_euler or edm_dpmpp_2m";
    refuse("unsupported_setting", "_class_name", name, why);
  }
  if (isEdm(chosen) && !isEdm(name)) {
    const why = "which needs a model that was trained with EDM's noise; this one was not";
    refuse("unsupported_setting", "_class_name", chosen, why);
  }
}
