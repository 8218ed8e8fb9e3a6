import {
  needsStandIn,
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

/** What of a request its plan follows from. */
type PlanRequest =
  & Pick<GenerationRequest, "scheduler" | "steps">
  & Partial<Pick<GenerationRequest, "strength" | "mask">>;

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
export function plannerOf(own: Readonly<Record<string, unknown>>): Planner {
  const kept = new Map<string, PlanChoice>();
  return ({ scheduler, steps, strength, mask }) => {
    const key = JSON.stringify([steps, scheduler, strength, mask === undefined]);
    const choice = kept.get(key) ?? planFor(own, { scheduler, steps, strength, mask });
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
  own: Readonly<Record<string, unknown>>,
  { scheduler, steps, strength, mask }: PlanRequest,
): PlanChoice {
  const start = { strength, inpaints: mask !== undefined };
  const name = own._class_name;
  if (scheduler === undefined && needsStandIn(own)) {
    const plan = fittingPlan(schedulerConfigFromName(SUBSTITUTE, own), steps, start);
    const why = name === undefined
      ? "The model names no scheduler"
      : `The model's own scheduler, ${name}, cannot be checked step by step`;
    const notice = `${why}: ${SUBSTITUTE} was used`;
    return { plan, notices: [notice] };
  }
  const config = schedulerConfig(own, scheduler);
  refuseForeignNoise(own, config._class_name);
  return { plan: fittingPlan(config, steps, start), notices: [] };
}

function fittingPlan(config: unknown, steps: number, options: PlanOptions): Plan {
  const plan = planFromConfig(config, steps, options);
  refuseOverflow(plan);
  return plan;
}

/** A name or an object changes the solver, and keeps what the model was trained with. */
function schedulerConfig(
  own: Readonly<Record<string, unknown>>,
  scheduler: GenerationRequest["scheduler"],
): Readonly<Record<string, unknown>> {
  if (typeof scheduler === "string") return schedulerConfigFromName(scheduler, own);
  return { ...own, ...scheduler };
}
