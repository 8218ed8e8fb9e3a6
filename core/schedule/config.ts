import { z } from "zod";
import { AppError, type ErrorCode } from "../error.ts";

/** diffusers' `scheduler_config.json`, with its keys; an absent or null key takes the class's default. */

const flag = (value: boolean) => z.boolean().default(value);

const betas = {
  num_train_timesteps: z.int().min(2).max(100_000).default(1000),
  beta_start: z.number().default(0.0001),
  beta_end: z.number().default(0.02),
  beta_schedule: z.enum(["linear", "scaled_linear", "squaredcos_cap_v2"]).default("linear"),
  trained_betas: z.array(z.number()).optional(),
  rescale_betas_zero_snr: flag(false),
};

const spacing = {
  timestep_spacing: z.enum(["linspace", "leading", "trailing"]).default("linspace"),
  steps_offset: z.int().min(0).default(0),
};

const shape = {
  use_karras_sigmas: flag(false),
  use_exponential_sigmas: flag(false),
  use_beta_sigmas: flag(false),
  sigma_min: z.number().positive().optional(),
  sigma_max: z.number().positive().optional(),
};

const { sigma_min: _min, sigma_max: _max, ...plainShape } = shape;

const ending = { final_sigmas_type: z.enum(["zero", "sigma_min"]).default("zero") };

const shifting = {
  use_dynamic_shifting: flag(false),
  time_shift_type: z.enum(["exponential", "linear"]).default("exponential"),
  shift_terminal: z.number().min(0).lt(1).optional(),
};

const multistep = {
  ...betas,
  ...spacing,
  ...shape,
  ...ending,
  ...shifting,
  prediction_type: z.enum(["epsilon", "v_prediction", "sample", "flow_prediction"])
    .default("epsilon"),
  solver_order: z.int().min(1).max(3).default(2),
  lower_order_final: flag(true),
  use_flow_sigmas: flag(false),
  flow_shift: z.number().positive().default(1),
};

const imagePrediction = z.enum(["epsilon", "v_prediction", "sample"]).default("epsilon");

// A JSON file has no infinity: writers leave out the quotes, or keep them.
const minusInfinity = (value: unknown) =>
  value === "-Infinity" || value === "-inf" ? -Infinity : value;

const dpmSolver = z.object({
  ...multistep,
  // "deis" and the other solvers' types come along when a config is carried over from those.
  algorithm_type: z
    .enum(["dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver", "deis"])
    .default("dpmsolver++")
    .transform((type) => type === "deis" ? "dpmsolver++" : type),
  solver_type: z.enum(["midpoint", "heun", "logrho", "bh1", "bh2"]).default("midpoint")
    .transform((type) => type === "heun" ? type : "midpoint"),
  euler_at_final: flag(false),
  use_lu_lambdas: flag(false),
  lambda_min_clipped: z.preprocess(
    minusInfinity,
    z.union([z.number(), z.literal(-Infinity)]).default(-Infinity),
  ),
});

const uniPc = z.object({
  ...multistep,
  predict_x0: flag(true),
  solver_type: z.enum(["bh1", "bh2", "midpoint", "heun", "logrho"]).default("bh2")
    .transform((type) => type === "bh1" ? type : "bh2"),
  disable_corrector: z.array(z.int()).default([]),
  solver_p: z.undefined({ error: "must be null" }).optional(),
});

const euler = z.object({
  ...betas,
  ...spacing,
  ...shape,
  ...ending,
  prediction_type: z.enum(["epsilon", "v_prediction", "sample", "original_sample"])
    .default("epsilon").transform((type) => type === "original_sample" ? "sample" : type),
  interpolation_type: z.enum(["linear", "log_linear"]).default("linear"),
  timestep_type: z.enum(["discrete", "continuous"]).default("discrete"),
});

const eulerAncestral = z.object({
  ...betas,
  ...spacing,
  prediction_type: z.enum(["epsilon", "v_prediction"]).default("epsilon"),
});

const ddim = z.object({
  ...betas,
  ...spacing,
  timestep_spacing: spacing.timestep_spacing.default("leading"),
  prediction_type: imagePrediction,
  set_alpha_to_one: flag(true),
  clip_sample: flag(true),
  eta: z.number().min(0).max(1).default(0),
});

const { rescale_betas_zero_snr: _, ...plainBetas } = betas;

const outputPrediction = z.enum(["epsilon", "v_prediction"]).default("epsilon");

const lms = z.object({
  ...plainBetas,
  ...spacing,
  ...plainShape,
  prediction_type: imagePrediction,
});

const heun = z.object({
  ...plainBetas,
  beta_start: z.number().default(0.00085),
  beta_end: z.number().default(0.012),
  ...spacing,
  ...plainShape,
  prediction_type: imagePrediction,
});

const kdpm2 = heun.extend({ prediction_type: outputPrediction });

const plainMultistep = {
  ...plainBetas,
  ...spacing,
  ...plainShape,
  use_dynamic_shifting: shifting.use_dynamic_shifting,
  time_shift_type: shifting.time_shift_type,
  prediction_type: multistep.prediction_type,
  solver_order: multistep.solver_order,
  lower_order_final: multistep.lower_order_final,
  use_flow_sigmas: multistep.use_flow_sigmas,
  flow_shift: multistep.flow_shift,
};

// The other solvers' types come along when a config is carried over from those.
const deis = z.object({
  ...plainMultistep,
  algorithm_type: z.enum(["deis", "dpmsolver", "dpmsolver++"]).default("deis")
    .transform(() => "deis"),
  solver_type: z.enum(["logrho", "midpoint", "heun", "bh1", "bh2"]).default("logrho")
    .transform(() => "logrho"),
});

const { timestep_spacing: _spacing, steps_offset: _offset, ...blocks } = plainMultistep;

const dpmSinglestep = z.object({
  ...blocks,
  ...ending,
  algorithm_type: z.enum(["dpmsolver++", "sde-dpmsolver++", "dpmsolver", "deis"])
    .default("dpmsolver++").transform((type) => type === "deis" ? "dpmsolver++" : type),
  solver_type: dpmSolver.shape.solver_type,
  lower_order_final: flag(false),
  lambda_min_clipped: dpmSolver.shape.lambda_min_clipped,
});

const edmEuler = z.object({
  num_train_timesteps: betas.num_train_timesteps,
  sigma_min: z.number().positive().default(0.002),
  sigma_max: z.number().positive().default(80),
  sigma_data: z.number().positive().default(0.5),
  sigma_schedule: z.enum(["karras", "exponential"]).default("karras"),
  prediction_type: outputPrediction,
  rho: z.number().positive().default(7),
  ...ending,
});

const edmDpm = edmEuler.extend({
  solver_order: multistep.solver_order,
  algorithm_type: z.enum(["dpmsolver++", "sde-dpmsolver++", "deis"]).default("dpmsolver++")
    .transform((type) => type === "deis" ? "dpmsolver++" : type),
  solver_type: dpmSolver.shape.solver_type,
  lower_order_final: multistep.lower_order_final,
  euler_at_final: dpmSolver.shape.euler_at_final,
});

const ddpm = z.object({
  ...betas,
  ...spacing,
  timestep_spacing: spacing.timestep_spacing.default("leading"),
  prediction_type: imagePrediction,
  variance_type: z.enum(["fixed_small", "fixed_small_log", "fixed_large"]).default("fixed_small"),
  clip_sample: flag(true),
});

const pndm = z.object({
  ...plainBetas,
  ...spacing,
  timestep_spacing: spacing.timestep_spacing.default("leading"),
  prediction_type: outputPrediction,
  skip_prk_steps: flag(false),
  set_alpha_to_one: flag(false),
});

const lcm = z.object({
  ...betas,
  beta_start: z.number().default(0.00085),
  beta_end: z.number().default(0.012),
  beta_schedule: betas.beta_schedule.default("scaled_linear"),
  prediction_type: imagePrediction,
  original_inference_steps: z.int().positive().default(50),
  timestep_scaling: z.number().positive().default(10),
});

// diffusers takes eta with each step, not from the config: here it is the scheduler's.
const tcd = lcm.extend({
  eta: z.number().min(0).max(1).default(0.3),
});

const flowMatch = z.object({
  num_train_timesteps: betas.num_train_timesteps,
  ...shape,
  ...shifting,
  shift: z.number().positive().default(1),
  invert_sigmas: flag(false),
  stochastic_sampling: flag(false),
});

const classes = {
  DPMSolverMultistepScheduler: dpmSolver,
  UniPCMultistepScheduler: uniPc,
  EulerDiscreteScheduler: euler,
  EulerAncestralDiscreteScheduler: eulerAncestral,
  DDIMScheduler: ddim,
  LCMScheduler: lcm,
  PNDMScheduler: pndm,
  DDPMScheduler: ddpm,
  TCDScheduler: tcd,
  DEISMultistepScheduler: deis,
  DPMSolverSinglestepScheduler: dpmSinglestep,
  EDMEulerScheduler: edmEuler,
  EDMDPMSolverMultistepScheduler: edmDpm,
  LMSDiscreteScheduler: lms,
  HeunDiscreteScheduler: heun,
  KDPM2DiscreteScheduler: kdpm2,
  KDPM2AncestralDiscreteScheduler: kdpm2,
  FlowMatchEulerDiscreteScheduler: flowMatch,
} as const;

export type SolverClass = keyof typeof classes;

type Settings<C extends SolverClass> = z.infer<(typeof classes)[C]>;

/** A decoded config, distinguished by its class. */
export type SchedulerConfig = {
  readonly [C in SolverClass]: Settings<C> & { readonly _class_name: C };
}[SolverClass];

export type DpmSolverSettings = Settings<"DPMSolverMultistepScheduler">;
export type UniPcSettings = Settings<"UniPCMultistepScheduler">;
export type EulerSettings = Settings<"EulerDiscreteScheduler">;
export type EulerAncestralSettings = Settings<"EulerAncestralDiscreteScheduler">;
export type DdimSettings = Settings<"DDIMScheduler">;
export type LcmSettings = Settings<"LCMScheduler">;
export type FlowMatchSettings = Settings<"FlowMatchEulerDiscreteScheduler">;
export type PndmSettings = Settings<"PNDMScheduler">;
export type DdpmSettings = Settings<"DDPMScheduler">;
export type TcdSettings = Settings<"TCDScheduler">;
export type DeisSettings = Settings<"DEISMultistepScheduler">;
export type DpmSinglestepSettings = Settings<"DPMSolverSinglestepScheduler">;
export type EdmEulerSettings = Settings<"EDMEulerScheduler">;
export type EdmDpmSettings = Settings<"EDMDPMSolverMultistepScheduler">;
export type LmsSettings = Settings<"LMSDiscreteScheduler">;
export type HeunSettings = Settings<"HeunDiscreteScheduler">;
export type Kdpm2Settings = Settings<"KDPM2DiscreteScheduler">;
export type Kdpm2AncestralSettings = Settings<"KDPM2AncestralDiscreteScheduler">;
export type ShapeSettings = Pick<LmsSettings, keyof typeof plainShape> & {
  readonly sigma_min?: number | undefined;
  readonly sigma_max?: number | undefined;
};
export type BetaSettings = Pick<EulerAncestralSettings, keyof typeof betas>;
export type TimestepSettings = Pick<EulerAncestralSettings, keyof typeof spacing> & {
  readonly num_train_timesteps: number;
};
export type ShiftSettings = Pick<FlowMatchSettings, keyof typeof shifting>;
export type MultistepSettings = Pick<UniPcSettings, keyof typeof multistep>;

export const solverClasses = Object.keys(classes) as readonly SolverClass[];

// Settings of diffusers' other schedulers, which stay in a config that is carried over, and of
// classes here that do not read them. diffusers leaves them unread as well.
const unread: ReadonlySet<string> = new Set([
  ...Object.values(classes).flatMap((schema) => Object.keys(schema.shape)),
  ...["clip_sample_range", "dynamic_thresholding_ratio", "sample_max_value"],
  ...["thresholding", "variance_type", "base_shift", "max_shift", "base_image_seq_len"],
  ...["max_image_seq_len", "noise_sampler_seed", "snr_shift_scale", "s_noise", "s_churn"],
  ...["predict_epsilon", "max_beta"],
]);

/**
 * @param config A parsed `scheduler_config.json`, with `_class_name`.
 * @throws AppError `invalid_config` when it is no such thing or a value is out of its range,
 * `unsupported_setting` when a setting is unknown or no linear step can do what it asks.
 */
export function decodeSchedulerConfig(config: unknown): SchedulerConfig {
  const given = givenSettings(config);
  const name = solverClass(given._class_name);
  refuseNonLinear(name, given);
  for (const [key, value] of Object.entries(given)) {
    if (!key.startsWith("_") && !unread.has(key)) {
      refuse(
        "unsupported_setting",
        key,
        value,
        "is no setting of a diffusers scheduler; remove it",
      );
    }
  }
  const decoded = classes[name].safeParse(given);
  if (!decoded.success) refuseIssue(given, decoded.error.issues[0]);
  return { ...decoded.data, _class_name: name } as SchedulerConfig;
}

/** @throws AppError with the sentence "Cannot read the scheduler config: key is value, why". */
export function refuse(code: ErrorCode, key: string, value: unknown, why: string): never {
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  throw new AppError(code, `Cannot read the scheduler config: ${key} is ${shown}, ${why}`);
}

type Given = Readonly<Record<string, unknown>>;

function givenSettings(config: unknown): Given {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new AppError(
      "invalid_config",
      `Cannot read the scheduler config: it is ${JSON.stringify(config)}, must be an object`,
    );
  }
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== null && value !== undefined),
  );
}

/** Why no plan holds what a class does. */
const REASONS: Readonly<Record<string, string>> = {
  DPMSolverSDEScheduler: "draws its noise along a path of its own and ",
  SASolverScheduler: "draws noise twice a step and ",
  CMStochasticIterativeScheduler: "clips its predictions and ",
  IPNDMScheduler: "has noise levels of its own and ",
};

// The same steps under another name: it differs in taking a batch of timesteps at once.
const aliases: Readonly<Record<string, SolverClass>> = { DDIMParallelScheduler: "DDIMScheduler" };

function solverClass(name: unknown): SolverClass {
  const own = solverClasses.find((solver) => solver === name);
  const alias = typeof name === "string" && Object.hasOwn(aliases, name)
    ? aliases[name]
    : undefined;
  return own ?? alias ?? refuse(
    name === undefined ? "invalid_config" : "unsupported_setting",
    "_class_name",
    name,
    `which ${
      REASONS[String(name)] ?? ""
    }is not supported; pick a scheduler (euler, dpmpp_2m, ...) or set it to one of ${
      solverClasses.join(", ")
    }`,
  );
}

function refuseNonLinear(name: SolverClass, given: Given): void {
  const nonLinear = "which no linear step can do; set it to false";
  if (given.thresholding === true) refuse("unsupported_setting", "thresholding", true, nonLinear);
  if (given.clip_sample === true) refuse("unsupported_setting", "clip_sample", true, nonLinear);
  const clips = name === "DDIMScheduler" || name === "DDPMScheduler";
  if (clips && given.clip_sample === undefined) {
    refuse("unsupported_setting", "clip_sample", true, `the default of ${name}, ${nonLinear}`);
  }
  if (name === "PNDMScheduler" && given.skip_prk_steps !== true) {
    const why = "whose Runge-Kutta start no plan holds; set it to true";
    refuse("unsupported_setting", "skip_prk_steps", given.skip_prk_steps ?? false, why);
  }
  if (given.variance_type === "learned" || given.variance_type === "learned_range") {
    const why = "which needs a network that predicts its variance; remove it";
    refuse("unsupported_setting", "variance_type", given.variance_type, why);
  }
}

function refuseIssue(given: Given, issue: z.core.$ZodIssue): never {
  const key = String(issue.path[0]);
  if (issue.code === "invalid_value") {
    refuse("unsupported_setting", key, given[key], `must be one of ${issue.values.join(", ")}`);
  }
  refuse("invalid_config", key, given[key], issue.message);
}
