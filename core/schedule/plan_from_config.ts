import { AppError } from "../error.ts";
import { decodeSchedulerConfig, type SchedulerConfig } from "./config.ts";
import { planDdim } from "./ddim.ts";
import { planDpmSolver } from "./dpm_solver.ts";
import { planEuler, planEulerAncestral } from "./euler.ts";
import { planFlowMatch } from "./flow_match.ts";
import { planLcm } from "./lcm.ts";
import type { Plan } from "./plan.ts";
import { planUniPc } from "./unipc.ts";

/** What a config leaves to the request. */
export interface PlanOptions {
  /** The flow's shift for the image's size, where `use_dynamic_shifting` asks for it. */
  readonly mu?: number;
}

/**
 * The plan of a run.
 * @param config diffusers' `scheduler_config.json`, parsed, with `_class_name`.
 * @param steps 1 to 1000, at most `num_train_timesteps`.
 * @throws AppError `invalid_config`, `unsupported_setting` or `invalid_request`.
 */
export function planFromConfig(config: unknown, steps: number, options: PlanOptions = {}): Plan {
  const decoded = decodeSchedulerConfig(config);
  const max = Math.min(1000, decoded.num_train_timesteps);
  if (!Number.isInteger(steps) || steps < 1 || steps > max) {
    throw new AppError(
      "invalid_request",
      `Cannot plan the denoising: steps is ${steps}, must be an integer from 1 to ${max}`,
    );
  }
  return planFor(decoded, steps, options.mu);
}

function planFor(config: SchedulerConfig, steps: number, mu: number | undefined): Plan {
  switch (config._class_name) {
    case "DPMSolverMultistepScheduler":
      return planDpmSolver(config, steps, mu);
    case "UniPCMultistepScheduler":
      return planUniPc(config, steps, mu);
    case "EulerDiscreteScheduler":
      return planEuler(config, steps);
    case "EulerAncestralDiscreteScheduler":
      return planEulerAncestral(config, steps);
    case "DDIMScheduler":
      return planDdim(config, steps);
    case "LCMScheduler":
      return planLcm(config, steps);
    case "FlowMatchEulerDiscreteScheduler":
      return planFlowMatch(config, steps, mu);
    default:
      return config satisfies never;
  }
}
