import {
  addsOptions,
  needsStandIn,
  pipelineOptions,
  type Plan,
  planFromConfig,
  type PlanOptions,
  refuseForeignNoise,
  refuseOverflow,
  schedulerConfigFromName,
} from "../schedule/mod.ts";
import type { GenerationRequest } from "./request.ts";

/** The subnet's scheduler, for models whose own is not a plan. */
const SUBSTITUTE = "sde-dpmsolver++";

/** What of a request its plan follows from; of its size only where the model's pipeline shifts by it. */
export type PlanRequest =
  & Pick<GenerationRequest, "scheduler" | "steps" | "width" | "height">
  & Partial<Pick<GenerationRequest, "strength" | "mask">>;

type Config = Readonly<Record<string, unknown>>;

/** The plan of a request, and what the user should know. */
export interface PlanChoice {
  readonly plan: Plan;
  readonly notices: readonly string[];
}

/** {@link planFor} of one model. */
export type Planner = (request: PlanRequest) => PlanChoice;

/** Plans that a planner keeps: the defaults and others that users try. */
const KEPT_PLANS = 64;

/**
 * Plans for one model, each made once: generations, checks and openings share it.
 * @param own the model's `scheduler_config.json`.
 */
export function plannerOf(own: Config): Planner {
  const kept = new Map<string, PlanChoice>();
  return (request) => {
    const { scheduler, steps, strength, mask, width, height } = request;
    const size = addsOptions(own._pipeline) && [width, height];
    const key = JSON.stringify([steps, scheduler, strength, mask === undefined, size]);
    const choice = kept.get(key) ?? planFor(own, request);
    // The last used is the last to go.
    kept.delete(key);
    kept.set(key, choice);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_PLANS) break;
      kept.delete(oldest);
    }
    return choice;
  };
}

/**
 * The plan of a request, by its own scheduler or else the model's, and what the user should know.
 * @param own the model's `scheduler_config.json`, as `readOwnScheduler` gives it.
 * @throws AppError `unsupported_setting` for a model whose noise no solver here knows, and for a plan
 * whose states would leave float16.
 */
export function planFor(
  own: Config,
  request: PlanRequest,
): PlanChoice {
  const { scheduler } = request;
  const name = own._class_name;
  if (scheduler === undefined && needsStandIn(own)) {
    const plan = fittingPlan(own, schedulerConfigFromName(SUBSTITUTE, own), request);
    const why = name === undefined
      ? "The model names no scheduler"
      : `The model's own scheduler, ${name}, cannot be checked step by step`;
    const notice = `${why}: ${SUBSTITUTE} was used`;
    return { plan, notices: [notice] };
  }
  const config = schedulerConfig(own, scheduler);
  refuseForeignNoise(own, config._class_name);
  return { plan: fittingPlan(own, config, request), notices: [] };
}

function fittingPlan(own: Config, config: Config, request: PlanRequest): Plan {
  const plan = planFromConfig(config, request.steps, optionsOf(own, config, request));
  refuseOverflow(plan);
  return plan;
}

/** Of a transformer's token: latents are an eighth of the image, and patches of two of their pixels. */
const PIXELS_A_TOKEN = 16;

function optionsOf(own: Config, config: Config, request: PlanRequest): PlanOptions {
  const { steps, strength, mask, width, height } = request;
  const way = own._inpaints === true ? "by network" : true;
  const start: PlanOptions = { strength, inpaints: mask !== undefined && way };
  if (!addsOptions(own._pipeline)) return start;
  const tokens = Math.floor(width / PIXELS_A_TOKEN) * Math.floor(height / PIXELS_A_TOKEN);
  return { ...start, ...pipelineOptions(own._pipeline, config, steps, tokens) };
}

/** A name or an object changes the solver, and keeps what the model was trained with. */
function schedulerConfig(
  own: Config,
  scheduler: GenerationRequest["scheduler"],
): Config {
  if (typeof scheduler === "string") return schedulerConfigFromName(scheduler, own);
  return { ...own, ...scheduler };
}
