import { AppError } from "../error.ts";
import { type SolverClass, solverClasses } from "./config.ts";

interface Preset {
  readonly _class_name: SolverClass;
  readonly [setting: string]: unknown;
}

const karras = {
  use_karras_sigmas: true,
  use_exponential_sigmas: false,
  use_beta_sigmas: false,
  use_lu_lambdas: false,
};

const dpm = (algorithm: string, order: number, spacing: object = {}): Preset => ({
  _class_name: "DPMSolverMultistepScheduler",
  algorithm_type: algorithm,
  solver_order: order,
  solver_type: "midpoint",
  use_karras_sigmas: false,
  ...spacing,
});

/** Without the Runge-Kutta start, which no plan holds. */
const pndm: Preset = { _class_name: "PNDMScheduler", skip_prk_steps: true };

/** What people call the solvers. `sde-dpmsolver++` is the subnet's default, with Karras sigmas. */
const presets: Readonly<Record<string, Preset>> = {
  dpmpp_2m: dpm("dpmsolver++", 2),
  dpmpp_2m_karras: dpm("dpmsolver++", 2, karras),
  dpmpp_2m_sde: dpm("sde-dpmsolver++", 2),
  dpmpp_2m_sde_karras: dpm("sde-dpmsolver++", 2, karras),
  dpmpp_3m: dpm("dpmsolver++", 3),
  dpmpp_3m_karras: dpm("dpmsolver++", 3, karras),
  "dpmsolver++": dpm("dpmsolver++", 2),
  "sde-dpmsolver++": dpm("sde-dpmsolver++", 2, karras),
  euler: { _class_name: "EulerDiscreteScheduler" },
  euler_a: { _class_name: "EulerAncestralDiscreteScheduler" },
  ddim: { _class_name: "DDIMScheduler", clip_sample: false },
  lcm: { _class_name: "LCMScheduler" },
  pndm,
  lms: { _class_name: "LMSDiscreteScheduler", use_karras_sigmas: false },
  lms_karras: { _class_name: "LMSDiscreteScheduler", ...karras },
  heun: { _class_name: "HeunDiscreteScheduler", use_karras_sigmas: false },
  dpm2: { _class_name: "KDPM2DiscreteScheduler", use_karras_sigmas: false },
  dpm2_karras: { _class_name: "KDPM2DiscreteScheduler", ...karras },
  dpmpp_2s: { ...dpm("dpmsolver++", 2), _class_name: "DPMSolverSinglestepScheduler" },
  deis: {
    _class_name: "DEISMultistepScheduler",
    algorithm_type: "deis",
    solver_type: "logrho",
    use_karras_sigmas: false,
  },
  ddpm: { _class_name: "DDPMScheduler", clip_sample: false },
  tcd: { _class_name: "TCDScheduler" },
  edm_euler: { _class_name: "EDMEulerScheduler" },
  edm_dpmpp_2m: { _class_name: "EDMDPMSolverMultistepScheduler", algorithm_type: "dpmsolver++" },
  dpm2_a: { _class_name: "KDPM2AncestralDiscreteScheduler", use_karras_sigmas: false },
  unipc: { _class_name: "UniPCMultistepScheduler" },
  flow_euler: { _class_name: "FlowMatchEulerDiscreteScheduler" },
  ...Object.fromEntries(solverClasses.map((name) => [name, { _class_name: name }])),
  PNDMScheduler: pndm,
};

/** Every name that `schedulerConfigFromName` takes. */
export const schedulerNames: readonly string[] = Object.keys(presets);

/**
 * The model's own config with another solver: betas, prediction type, spacing and offset stay.
 * @param base The model's `scheduler_config.json`, parsed.
 * @throws AppError `invalid_request` when the name is unknown, or does not fit what the model was
 * trained for (flow or diffusion).
 */
export function schedulerConfigFromName(
  name: string,
  base: unknown,
): Readonly<Record<string, unknown>> {
  if (!Object.hasOwn(presets, name)) {
    refuseName(name, `must be one of ${schedulerNames.join(", ")}`);
  }
  const preset = presets[name];
  const own = typeof base === "object" && base !== null
    ? base as Readonly<Record<string, unknown>>
    : {};
  const flow = isFlow(own);
  if (preset._class_name === "FlowMatchEulerDiscreteScheduler") {
    if (!flow && own._class_name !== undefined) {
      refuseName(name, "which needs a flow model; this one is not");
    }
    return { ...flowShift(own), ...preset };
  }
  if (!flow) return { ...own, ...preset };
  if (!takesFlow(preset._class_name)) {
    refuseName(name, "which a flow model cannot use; pick flow_euler, dpmpp_2m or unipc");
  }
  const shift = own.flow_shift ?? own.shift ?? 1;
  const spacing = { use_flow_sigmas: true, flow_shift: shift, use_karras_sigmas: false };
  return { ...own, ...preset, ...spacing, prediction_type: "flow_prediction" };
}

function isFlow(config: Readonly<Record<string, unknown>>): boolean {
  return String(config._class_name).startsWith("FlowMatch") ||
    config.prediction_type === "flow_prediction";
}

function takesFlow(name: SolverClass): boolean {
  return /^(DPMSolverMultistep|UniPCMultistep|DEISMultistep|DPMSolverSinglestep)/.test(name);
}

function flowShift(config: Readonly<Record<string, unknown>>): object {
  return config.shift === undefined && config.flow_shift !== undefined
    ? { ...config, shift: config.flow_shift }
    : config;
}

function refuseName(name: string, why: string): never {
  throw new AppError(
    "invalid_request",
    `Cannot pick a scheduler: scheduler is ${JSON.stringify(name)}, ${why}`,
  );
}
