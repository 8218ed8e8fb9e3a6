import { AppError } from "../error.ts";
import { decodeSchedulerConfig, type SchedulerConfig } from "./config.ts";
import { planDdpm } from "./ddpm.ts";
import { planDeis } from "./deis.ts";
import { planDpmSinglestep } from "./dpm_singlestep.ts";
import { planEdmDpm, planEdmEuler } from "./edm.ts";
import { planTcd } from "./tcd.ts";
import { planDdim } from "./ddim.ts";
import { planDpmSolver } from "./dpm_solver.ts";
import { planEuler, planEulerAncestral } from "./euler.ts";
import { planFlowMatch } from "./flow_match.ts";
import { planLcm } from "./lcm.ts";
import { planLms } from "./lms.ts";
import type { Plan } from "./plan.ts";
import { planPndm } from "./pndm.ts";
import { planHeun, planKdpm2, planKdpm2Ancestral } from "./two_calls.ts";
import { planUniPc } from "./unipc.ts";

/** What a config leaves to the request. */
export interface PlanOptions {
  /** The flow's shift for the image's size, where `use_dynamic_shifting` asks for it. */
  readonly mu?: number;
  /**
   * The pipeline's own noise levels of flow matching, before the config's shift: one a step, falling
   * from at most 1, all above 0.
   */
  readonly sigmas?: readonly number[];
  /**
   * The run starts from a source image: how much of it is done anew, above 0, at most 1. Of N steps
   * the last floor(N * strength) are taken, from x_0 = sourceScale * s + initialScale * z.
   */
  readonly strength?: number;
  /** The source is kept where a mask says so: each row blends, or the network itself reads the mask. */
  readonly inpaints?: boolean | "by network";
}

/** Rows of a plan at most: network calls, of which some solvers make more than one a step. */
const MAX_ROWS = 1000;

/**
 * The plan of a run.
 * @param config diffusers' `scheduler_config.json`, parsed, with `_class_name`.
 * @param steps diffusers' `num_inference_steps`: as many rows, but for PNDM, which has one more, and
 * Heun and KDPM2, which have twice as many less one.
 * At most `num_train_timesteps`, and so many that there are at most 1000 rows.
 * @throws AppError `invalid_config`, `unsupported_setting` or `invalid_request`.
 */
export function planFromConfig(config: unknown, steps: number, options: PlanOptions = {}): Plan {
  const decoded = decodeSchedulerConfig(config);
  const max = Math.min(stepLimit(decoded), decoded.num_train_timesteps);
  if (!Number.isInteger(steps) || steps < 1 || steps > max) {
    refusePlan(`steps is ${steps}, must be an integer from 1 to ${max}`);
  }
  if (options.sigmas) refuseSigmas(decoded, steps, options.sigmas);
  const begin = firstStep(steps, options.strength);
  const plan = planFor(decoded, steps, options, begin);
  const started = options.strength === undefined ? plan : startedFrom(plan, decoded, begin);
  if (!options.inpaints) return started;
  // At full strength nothing of the source is left to start from.
  const { sourceScale: _, ...fromNoise } = { ...started, initialScale: plan.initialScale };
  const masked = options.strength === 1 ? fromNoise : started;
  return options.inpaints === "by network" ? masked : blending(masked);
}

/** How many of the steps a run at this strength takes, as diffusers counts: whole ones, rounded down. */
export function stepsTaken(steps: number, strength = 1): number {
  return Math.min(Math.trunc(steps * strength), steps);
}

function firstStep(steps: number, strength?: number): number {
  const taken = stepsTaken(steps, strength);
  if (taken >= 1) return steps - taken;
  refusePlan(
    `strength is ${strength}, which is less than one of ${steps} steps: ask for at least ` +
      `${Math.ceil(1000 / steps) / 1000}, or for more steps`,
  );
}

/** The run's tail, from the source's latent at the noise level where it starts. */
function startedFrom(plan: Plan, config: SchedulerConfig, begin: number): Plan {
  const { _class_name: name } = config;
  // PNDM plans its history from where it starts; others have a row for each call before.
  const first = name === "PNDMScheduler" ? 0 : callsOfStep(name) * begin;
  const [{ alpha, sigma }] = plan.rows.slice(first);
  return {
    ...plan,
    timesteps: plan.timesteps.slice(first),
    ...(plan.sigmas && { sigmas: plan.sigmas.slice(first) }),
    rows: plan.rows.slice(first),
    initialScale: sigma,
    sourceScale: alpha,
  };
}

/** After each step what is kept is the source again, at the level of the next; at the end itself. */
function blending(plan: Plan): Plan {
  const rows = plan.rows.map((row, i) => {
    const next = plan.rows[i + 1];
    const blend = next ? { source: next.alpha, noise: next.sigma } : { source: 1, noise: 0 };
    return { ...row, blend };
  });
  return { ...plan, rows };
}

function stepLimit({ _class_name: name }: SchedulerConfig): number {
  if (name === "PNDMScheduler") return MAX_ROWS - 1;
  return Math.floor(MAX_ROWS / callsOfStep(name));
}

/** Of the network, but for the last step. */
function callsOfStep(name: SchedulerConfig["_class_name"]): 1 | 2 {
  return /^(Heun|KDPM2)/.test(name) ? 2 : 1;
}

function refuseSigmas(
  { _class_name: name }: SchedulerConfig,
  steps: number,
  sigmas: readonly number[],
): void {
  if (name !== "FlowMatchEulerDiscreteScheduler") {
    refusePlan(`sigmas are given, which ${name} takes none of; leave them out`);
  }
  if (sigmas.length !== steps) {
    refusePlan(`there are ${sigmas.length} sigmas, must be one a step (${steps})`);
  }
  const wrong = sigmas.findIndex((sigma, i) =>
    !(sigma > 0 && sigma <= 1 && (i === 0 || sigma < sigmas[i - 1]))
  );
  if (wrong >= 0) {
    refusePlan(`sigma ${wrong} is ${sigmas[wrong]}, must fall from at most 1 and stay above 0`);
  }
}

function refusePlan(why: string): never {
  throw new AppError("invalid_request", `Cannot plan the denoising: ${why}`);
}

function planFor(
  config: SchedulerConfig,
  steps: number,
  options: PlanOptions,
  begin: number,
): Plan {
  const multistep = { mu: options.mu, begin };
  switch (config._class_name) {
    case "DPMSolverMultistepScheduler":
      return planDpmSolver(config, steps, multistep);
    case "UniPCMultistepScheduler":
      return planUniPc(config, steps, multistep);
    case "EulerDiscreteScheduler":
      return planEuler(config, steps);
    case "EulerAncestralDiscreteScheduler":
      return planEulerAncestral(config, steps);
    case "DDIMScheduler":
      return planDdim(config, steps);
    case "LCMScheduler":
      return planLcm(config, steps);
    case "PNDMScheduler":
      return planPndm(config, steps, begin);
    case "DDPMScheduler":
      return planDdpm(config, steps);
    case "TCDScheduler":
      return planTcd(config, steps);
    case "DEISMultistepScheduler":
      return planDeis(config, steps, multistep);
    case "DPMSolverSinglestepScheduler":
      return planDpmSinglestep(config, steps, multistep);
    case "EDMEulerScheduler":
      return planEdmEuler(config, steps);
    case "EDMDPMSolverMultistepScheduler":
      return planEdmDpm(config, steps, begin);
    case "LMSDiscreteScheduler":
      return planLms(config, steps, begin);
    case "HeunDiscreteScheduler":
      return planHeun(config, steps);
    case "KDPM2DiscreteScheduler":
      return planKdpm2(config, steps);
    case "KDPM2AncestralDiscreteScheduler":
      return planKdpm2Ancestral(config, steps);
    case "FlowMatchEulerDiscreteScheduler":
      return planFlowMatch(config, steps, options);
    default:
      return config satisfies never;
  }
}
