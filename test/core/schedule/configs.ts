/** Every solver with the settings that change its numbers, as diffusers would read them. */

const stableDiffusion = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" };

type Settings = Readonly<Record<string, unknown>>;

function product(...axes: readonly (readonly Settings[])[]): Settings[] {
  return axes.reduce<Settings[]>(
    (made, axis) => made.flatMap((left) => axis.map((right) => ({ ...left, ...right }))),
    [{}],
  );
}

const betas = [
  stableDiffusion,
  { ...stableDiffusion, rescale_betas_zero_snr: true, prediction_type: "v_prediction" },
  { beta_schedule: "squaredcos_cap_v2" },
];
const spacings = [
  { timestep_spacing: "linspace" },
  { timestep_spacing: "leading", steps_offset: 1 },
  { timestep_spacing: "trailing" },
];
const shapes = [
  {},
  { use_karras_sigmas: true },
  { use_exponential_sigmas: true },
  { use_beta_sigmas: true },
];
const orders = [{ solver_order: 1 }, { solver_order: 2 }, { solver_order: 3 }];
const finals = [{ final_sigmas_type: "zero" }, { final_sigmas_type: "sigma_min" }];
const toSigmaMin = [{ final_sigmas_type: "sigma_min" }];
const dpm = [{ _class_name: "DPMSolverMultistepScheduler" }];
const uniPc = [{ _class_name: "UniPCMultistepScheduler" }];
const flow = [{ use_flow_sigmas: true, prediction_type: "flow_prediction", flow_shift: 3 }];
const clipless = [{ _class_name: "DDIMScheduler", clip_sample: false }];
const deis = [{ _class_name: "DEISMultistepScheduler" }];
const blocks = [{ _class_name: "DPMSolverSinglestepScheduler" }];
const edm = [{ sigma_schedule: "karras" }, { sigma_schedule: "exponential", sigma_data: 1 }];
const solvers = [{ solver_type: "midpoint" }, { solver_type: "heun" }];

/** Deterministic and exact on a fixed prediction: the marginal of each step leads to the next's. */
export const exactConfigs: readonly Settings[] = [
  ...product(dpm, [{ algorithm_type: "dpmsolver++" }], orders, solvers, shapes, finals, betas),
  ...product(dpm, [{ algorithm_type: "dpmsolver" }], orders, solvers, shapes, toSigmaMin, betas),
  ...product(dpm, [{ use_lu_lambdas: true }], orders, finals, betas),
  ...product(dpm, spacings, betas),
  ...product(dpm, flow, orders, finals),
  ...product(uniPc, orders, [{ solver_type: "bh1" }, { solver_type: "bh2" }], shapes, finals, betas)
    .map((config) => ({ ...config, lower_order_final: config.final_sigmas_type === "zero" })),
  ...product(uniPc, orders, [{ predict_x0: false }], shapes, finals, betas),
  ...product(uniPc, spacings, betas, [{}, { disable_corrector: [0, 2] }]),
  ...product(uniPc, flow, orders, finals),
  ...product([{ _class_name: "EulerDiscreteScheduler" }], spacings, shapes, finals, betas),
  ...product([{ _class_name: "DDIMScheduler", clip_sample: false }], [
    stableDiffusion,
    { beta_schedule: "linear" },
  ]),
  ...product(
    ["LMSDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2DiscreteScheduler"]
      .map((_class_name) => ({ _class_name })),
    [...spacings, ...shapes.slice(1), { prediction_type: "v_prediction" }],
    [stableDiffusion],
  ),
  ...product(deis, orders, [...spacings, ...shapes.slice(1)], [stableDiffusion]),
  ...product(deis, flow, orders),
  ...product(blocks, orders, solvers, finals, [{}, { lower_order_final: true }], [stableDiffusion]),
  ...product(
    blocks,
    orders,
    solvers,
    toSigmaMin,
    [{ algorithm_type: "dpmsolver" }],
    betas.slice(0, 1),
  ),
  ...product(blocks, orders, solvers, shapes.slice(1), [stableDiffusion]),
  ...product(blocks, flow, orders),
  ...product([{ _class_name: "EDMEulerScheduler" }], edm, finals),
  ...product([{ _class_name: "EDMDPMSolverMultistepScheduler" }], edm, orders, solvers, finals),
  ...product([{ _class_name: "PNDMScheduler", skip_prk_steps: true }], [
    stableDiffusion,
    { steps_offset: 1, set_alpha_to_one: true },
  ]),
  ...product([{ _class_name: "FlowMatchEulerDiscreteScheduler", shift: 3 }], shapes, [
    {},
    { invert_sigmas: true, shift: 1 },
    { shift_terminal: 0.1 },
  ]),
];

/** With fresh noise that makes up the next step's sigma. */
export const noisyConfigs: readonly Settings[] = [
  ...product(dpm, [{ algorithm_type: "sde-dpmsolver++" }], orders, solvers, shapes, betas),
  ...product(dpm, flow, [{ algorithm_type: "sde-dpmsolver++" }], orders),
  ...product([{ _class_name: "EulerAncestralDiscreteScheduler" }], spacings, betas),
  ...product(
    [{ _class_name: "KDPM2AncestralDiscreteScheduler" }],
    [...spacings, ...shapes.slice(1)],
    [stableDiffusion],
  ),
  { _class_name: "FlowMatchEulerDiscreteScheduler", shift: 3, stochastic_sampling: true },
  ...product(blocks, orders, solvers, [stableDiffusion], [{ algorithm_type: "sde-dpmsolver++" }]),
  ...product(clipless, [{ eta: 0.4 }, { eta: 1 }], [stableDiffusion]),
  ...product([{ _class_name: "TCDScheduler", original_inference_steps: 1000 }], [
    { eta: 0 },
    { eta: 0.3 },
    { eta: 1 },
  ]),
];

/** Everything, for what must hold of any plan. */
export const allConfigs: readonly Settings[] = [
  ...exactConfigs,
  ...noisyConfigs,
  ...product(
    dpm,
    [{ algorithm_type: "sde-dpmsolver" }],
    orders.slice(0, 2),
    solvers,
    shapes,
    toSigmaMin,
    betas,
  ),
  ...product([{ _class_name: "DDIMScheduler", clip_sample: false }], spacings, betas.slice(1)),
  // Combines outputs of several steps as they are, and v means another noise at each.
  ...product(
    [{ _class_name: "PNDMScheduler", skip_prk_steps: true, prediction_type: "v_prediction" }],
    spacings,
    [stableDiffusion],
  ),
  // Its smaller variance is the data's, not the marginal's.
  ...product(
    [{ _class_name: "DDPMScheduler", clip_sample: false }],
    [
      { variance_type: "fixed_small" },
      { variance_type: "fixed_large" },
    ],
    spacings,
    [stableDiffusion],
  ),
  { _class_name: "LCMScheduler", original_inference_steps: 1000 },
  ...product([{ _class_name: "EulerDiscreteScheduler", interpolation_type: "log_linear" }], [
    stableDiffusion,
    { prediction_type: "v_prediction", timestep_type: "continuous" },
  ]),
];
