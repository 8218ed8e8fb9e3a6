import { describe, expect, test } from "vitest";
import {
  planFromConfig,
  schedulerConfigFromName,
  schedulerNames,
} from "../../../core/schedule/mod.ts";

const trained = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  num_train_timesteps: 1000,
  trained_betas: null,
};

// As published with the models named.
const published = {
  sd15: {
    _class_name: "PNDMScheduler",
    _diffusers_version: "0.6.0",
    ...trained,
    set_alpha_to_one: false,
    skip_prk_steps: true,
    steps_offset: 1,
    clip_sample: false,
  },
  sd21: {
    _class_name: "DDIMScheduler",
    _diffusers_version: "0.8.0",
    ...trained,
    clip_sample: false,
    prediction_type: "v_prediction",
    set_alpha_to_one: false,
    skip_prk_steps: true,
    steps_offset: 1,
  },
  sdTurbo: {
    _class_name: "EulerDiscreteScheduler",
    _diffusers_version: "0.24.0.dev0",
    ...trained,
    clip_sample: false,
    interpolation_type: "linear",
    prediction_type: "epsilon",
    sigma_max: null,
    sigma_min: null,
    steps_offset: 1,
    timestep_spacing: "trailing",
    timestep_type: "discrete",
    use_karras_sigmas: false,
  },
  sdxl: {
    _class_name: "EulerDiscreteScheduler",
    _diffusers_version: "0.19.0.dev0",
    ...trained,
    clip_sample: false,
    interpolation_type: "linear",
    prediction_type: "epsilon",
    sample_max_value: 1.0,
    set_alpha_to_one: false,
    skip_prk_steps: true,
    steps_offset: 1,
    timestep_spacing: "leading",
    use_karras_sigmas: false,
  },
  lcm: {
    _class_name: "LCMScheduler",
    _diffusers_version: "0.22.0.dev0",
    ...trained,
    clip_sample: false,
    clip_sample_range: 1.0,
    dynamic_thresholding_ratio: 0.995,
    original_inference_steps: 50,
    prediction_type: "epsilon",
    rescale_betas_zero_snr: false,
    sample_max_value: 1.0,
    set_alpha_to_one: true,
    steps_offset: 0,
    thresholding: false,
    timestep_spacing: "leading",
  },
  sd3: {
    _class_name: "FlowMatchEulerDiscreteScheduler",
    _diffusers_version: "0.29.0.dev0",
    num_train_timesteps: 1000,
    shift: 3.0,
  },
  flux: {
    _class_name: "FlowMatchEulerDiscreteScheduler",
    _diffusers_version: "0.30.0.dev0",
    base_image_seq_len: 256,
    base_shift: 0.5,
    max_image_seq_len: 4096,
    max_shift: 1.15,
    num_train_timesteps: 1000,
    shift: 3.0,
    use_dynamic_shifting: true,
  },
};

describe("planFromConfig reads published configs", () => {
  // First and last timesteps, worked out by hand from the spacing's definition.
  test.each(
    [
      ["sd21", 10, 901, 1],
      ["sdTurbo", 1, 999, 999],
      ["sdxl", 20, 951, 1],
      ["lcm", 4, 999, 259],
    ] as const,
  )("%s in %i steps", (name, steps, first, last) => {
    const { timesteps } = planFromConfig(published[name], steps);
    expect([timesteps.length, timesteps[0], timesteps.at(-1)]).toEqual([steps, first, last]);
  });

  test("flow models, whose timesteps are shifted sigmas", () => {
    const plan = planFromConfig(published.sd3, 28);
    expect(plan.timesteps[0]).toBe(1000);
    expect(plan.predictionType).toBe("flow_prediction");
    const shifted = planFromConfig(published.flux, 2, { mu: Math.log(3) });
    // sigma 0.001 shifted by 3: 3 * 0.001 / (1 + 2 * 0.001).
    expect(shifted.sigmas?.[1]).toBeCloseTo(0.003 / 1.002, 8);
  });

  test("an absent setting takes the class's default", () => {
    const plan = planFromConfig({ _class_name: "DPMSolverMultistepScheduler" }, 20);
    expect(plan.timesteps.slice(0, 2)).toEqual([999, 949]);
    expect(plan.rows[5].denoised).toHaveLength(2);
  });

  test.each(["-Infinity", -Infinity, null])("lambda_min_clipped of %s clips nothing", (value) => {
    const config = { _class_name: "DPMSolverMultistepScheduler", lambda_min_clipped: value };
    expect(planFromConfig(config, 4).timesteps[0]).toBe(999);
  });

  test("lambda_min_clipped starts the cosine schedule later", () => {
    const config = {
      _class_name: "DPMSolverMultistepScheduler",
      beta_schedule: "squaredcos_cap_v2",
      lambda_min_clipped: -5.1,
    };
    const { timesteps, sigmas } = planFromConfig(config, 4);
    expect(timesteps[0]).toBeLessThan(999);
    expect(-Math.log(sigmas?.[0] ?? 0)).toBeGreaterThanOrEqual(-5.1);
  });

  test.each(["sdTurbo", "sdxl", "sd3"] as const)("%s in 1000 steps, one each", (name) => {
    expect(new Set(planFromConfig(published[name], 1000).timesteps).size).toBe(1000);
  });

  test("leaves out the step below 0 that trailing's rounding makes of 61", () => {
    const config = { _class_name: "EulerDiscreteScheduler", timestep_spacing: "trailing" };
    const { timesteps } = planFromConfig(config, 61);
    expect([timesteps.length, timesteps.at(-1)]).toEqual([61, 15]);
  });
});

describe("planFromConfig refuses, naming setting, value and remedy", () => {
  const dpm = { _class_name: "DPMSolverMultistepScheduler" };
  const ddim = { _class_name: "DDIMScheduler", clip_sample: false };
  const flow = { _class_name: "FlowMatchEulerDiscreteScheduler" };

  test.each([
    [{ _class_name: "SASolverScheduler" }, "unsupported_setting", /SASolver.*pick a scheduler/],
    [{ _class_name: "PNDMScheduler" }, "unsupported_setting", /skip_prk_steps is false.*to true/],
    [
      { ...published.sd15, prediction_type: "sample" },
      "unsupported_setting",
      /prediction_type is "sample", must be one of epsilon, v_prediction/,
    ],
    [{}, "invalid_config", /_class_name is undefined/],
    [null, "invalid_config", /it is null, must be an object/],
    [
      { ...dpm, thresholding: true },
      "unsupported_setting",
      /thresholding is true.*set it to false/,
    ],
    [{ ...ddim, clip_sample: true }, "unsupported_setting", /clip_sample is true/],
    [{ _class_name: "DDIMScheduler" }, "unsupported_setting", /clip_sample is true, the default/],
    [{ ...dpm, variance_type: "learned" }, "unsupported_setting", /variance_type is "learned"/],
    [{ ...dpm, colour: "red" }, "unsupported_setting", /colour is "red".*remove it/],
    [{ ...dpm, solver_order: 4 }, "invalid_config", /solver_order is 4/],
    [{ ...dpm, beta_start: "low" }, "invalid_config", /beta_start is "low"/],
    [{ ...dpm, trained_betas: [0.1] }, "invalid_config", /trained_betas is 1 numbers long/],
    [{ ...dpm, beta_end: 2 }, "invalid_config", /betas are no noise schedule/],
    [{ ...dpm, beta_schedule: "sine" }, "unsupported_setting", /"sine", must be one of linear/],
    [{ ...dpm, algorithm_type: "dpmsolver" }, "invalid_config", /final_sigmas_type is "zero"/],
    [
      { ...dpm, use_karras_sigmas: true, use_beta_sigmas: true },
      "invalid_config",
      /use_beta_sigmas is true, and so is use_karras_sigmas/,
    ],
    [
      { ...dpm, use_karras_sigmas: true, use_flow_sigmas: true },
      "unsupported_setting",
      /use_flow_sigmas is true/,
    ],
    [
      {
        ...dpm,
        use_flow_sigmas: true,
        prediction_type: "v_prediction",
        algorithm_type: "dpmsolver",
        final_sigmas_type: "sigma_min",
      },
      "unsupported_setting",
      /prediction_type is "v_prediction", which needs dpmsolver\+\+/,
    ],
    [
      {
        _class_name: "UniPCMultistepScheduler",
        use_flow_sigmas: true,
        prediction_type: "v_prediction",
        predict_x0: false,
      },
      "unsupported_setting",
      /prediction_type is "v_prediction", which needs predict_x0/,
    ],
    [{ ...dpm, lambda_min_clipped: 100 }, "invalid_config", /lambda_min_clipped/],
    [{ ...ddim, steps_offset: 1000 }, "invalid_config", /steps_offset is 1000/],
    // The offset is the model's: what somebody who asks can change is the number of steps.
    [{ ...ddim, steps_offset: 900 }, "invalid_request", /steps is \d+, must be at most 1 for DDIM/],
    [
      { ...ddim, rescale_betas_zero_snr: true, timestep_spacing: "trailing" },
      "invalid_config",
      /prediction_type is "epsilon".*use v_prediction/,
    ],
    [
      { _class_name: "UniPCMultistepScheduler", lower_order_final: false },
      "unsupported_setting",
      /lower_order_final is false/,
    ],
    [{ ...flow, use_dynamic_shifting: true }, "unsupported_setting", /use_dynamic_shifting.*mu/],
  ])("%j", (config, code, message) => {
    expect(() => planFromConfig(config, 5)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test.each([
    [dpm, [1], /sigmas are given, which DPMSolverMultistepScheduler takes none of/],
    [flow, [1, 0.5], /there are 2 sigmas, must be one a step \(3\)/],
    [flow, [1, 0.5, 0.5], /sigma 2 is 0.5, must fall/],
    [flow, [1.5, 1, 0.5], /sigma 0 is 1.5, must fall from at most 1/],
    [flow, [1, 0.5, NaN], /sigma 2 is NaN/],
  ])("sigmas of %j: %j", (config, sigmas, message) => {
    expect(() => planFromConfig(config, 3, { sigmas })).toThrow(
      expect.objectContaining({
        code: "invalid_request",
        message: expect.stringMatching(message),
      }),
    );
  });

  test("a linear time shift of DPM-Solver's flow", () => {
    const linear = { use_dynamic_shifting: true, time_shift_type: "linear" };
    expect(() => planFromConfig({ ...dpm, use_flow_sigmas: true, ...linear }, 5, { mu: 1 }))
      .toThrow(/time_shift_type is "linear", must be exponential/);
  });

  test.each([0, -1, 1.5, NaN, 1001])("%d steps", (steps) => {
    expect(() => planFromConfig(dpm, steps)).toThrow(expect.objectContaining({
      code: "invalid_request",
      message: expect.stringMatching(/steps is .*, must be an integer from 1 to 1000/),
    }));
  });

  test("more steps than were trained or distilled", () => {
    expect(() => planFromConfig({ ...dpm, num_train_timesteps: 100 }, 101)).toThrow(/1 to 100/);
    expect(() => planFromConfig(published.sd21, 1000)).toThrow(
      /steps is 1000, must be at most 999 for DDIM with this model, whose timesteps begin past/,
    );
    const leading = { ...dpm, timestep_spacing: "leading" };
    expect(() => planFromConfig(leading, 1000)).toThrow(/must be at most 999/);
    expect(() => planFromConfig(published.sd15, 1000)).toThrow(/from 1 to 999/);
    expect(() => planFromConfig(published.lcm, 51)).toThrow(/original_inference_steps \(50\)/);
  });
});

describe("schedulerConfigFromName", () => {
  test.each(schedulerNames.filter((name) => !/flow/i.test(name)))(
    "%s takes the betas and prediction type of Stable Diffusion 2.1",
    (name) => {
      const config = schedulerConfigFromName(name, published.sd21);
      expect(planFromConfig(config, 8).predictionType).toBe("v_prediction");
      expect(config).toMatchObject({ beta_end: 0.012, steps_offset: 1 });
    },
  );

  test("makes another scheduler of Stable Diffusion 1.5's own", () => {
    const plan = planFromConfig(schedulerConfigFromName("dpmpp_2m_karras", published.sd15), 25);
    expect(plan.solver).toBe("DPMSolverMultistepScheduler");
    expect(plan.sigmas?.[0]).toBeCloseTo(14.614645, 5);
  });

  test("sde-dpmsolver++ is the subnet's default, with Karras sigmas", () => {
    expect(schedulerConfigFromName("sde-dpmsolver++", published.sdxl)).toMatchObject({
      _class_name: "DPMSolverMultistepScheduler",
      algorithm_type: "sde-dpmsolver++",
      solver_order: 2,
      use_karras_sigmas: true,
    });
  });

  test.each(["dpmpp_2m", "unipc", "flow_euler"])(
    "%s keeps a flow model's flow and shift",
    (name) => {
      const plan = planFromConfig(schedulerConfigFromName(name, published.sd3), 10);
      expect(plan.predictionType).toBe("flow_prediction");
      // Half way down the grid, shifted by 3: far above one half.
      expect(plan.sigmas?.[5]).toBeGreaterThan(0.7);
    },
  );

  test.each([["ddim", published.sd3], ["flow_euler", published.sdxl], ["magic", published.sdxl]])(
    "%s is refused where it cannot work",
    (name, base) => {
      expect(() => schedulerConfigFromName(name, base)).toThrow(
        expect.objectContaining({ code: "invalid_request" }),
      );
    },
  );

  test("an unknown name lists the known ones", () => {
    expect(() => schedulerConfigFromName("toString", published.sdxl)).toThrow(
      /dpmpp_2m, .*euler_a/,
    );
  });
});
