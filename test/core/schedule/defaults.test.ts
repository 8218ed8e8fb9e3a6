import { expect, test } from "vitest";
import golden from "../../golden/diffusers_defaults.json" with { type: "json" };
import { decodeSchedulerConfig, solverClasses } from "../../../core/schedule/config.ts";
import { planFor } from "../../../core/request/mod.ts";

type Defaults = Readonly<Record<string, unknown>>;
const constructors: Readonly<Record<string, Defaults>> = golden.constructors;

/** What no plan depends on, or what is refused unless it has its default. */
const UNREAD = [
  ...["thresholding", "dynamic_thresholding_ratio", "sample_max_value"],
  ...["clip_sample_range", "variance_type", "base_shift", "max_shift", "base_image_seq_len"],
  "max_image_seq_len",
];
/** Instead of defaults that no plan can hold. */
const REFUSED_DEFAULTS = { clip_sample: false, skip_prk_steps: true };
/** The distilled models' own grid of steps reads neither, and its last step ends at the image. */
const UNREAD_BY_LCM = ["timestep_spacing", "steps_offset", "set_alpha_to_one"];

test.each(solverClasses)("an empty config of %s has diffusers' defaults", (name) => {
  const given = { _class_name: name, ...REFUSED_DEFAULTS };
  const decoded: Defaults = { ...decodeSchedulerConfig(given) };
  const unread = /^(LCM|TCD)/.test(name) ? [...UNREAD, ...UNREAD_BY_LCM] : UNREAD;
  for (const [key, value] of Object.entries(constructors[name])) {
    if (unread.includes(key) || Object.hasOwn(REFUSED_DEFAULTS, key)) continue;
    // JSON has no infinity, and no undefined.
    const expected = value === "-Infinity" ? -Infinity : value ?? undefined;
    expect(decoded[key], key).toEqual(expected);
  }
});

test("a null in a config is the default, as if the key were not there", () => {
  for (const name of solverClasses) {
    const nulls = Object.fromEntries(Object.keys(constructors[name]).map((key) => [key, null]));
    const given = { _class_name: name, ...REFUSED_DEFAULTS };
    expect(decodeSchedulerConfig({ ...nulls, ...given })).toEqual(decodeSchedulerConfig(given));
  }
});

const betas = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" };

test.each(golden.karrasDiffusionSchedulers.filter((name) => !name.startsWith("EDM")))(
  "a model published with %s is denoised, with a notice where by another solver",
  (name) => {
    const own = { _class_name: name, clip_sample: false, ...betas };
    const { plan, notices } = planFor(own, {
      scheduler: undefined,
      steps: 3,
      width: 64,
      height: 64,
    });
    if (plan.solver !== name) expect(notices).toEqual([expect.stringContaining(name)]);
    else expect(notices).toEqual([]);
  },
);

test.each([
  ...[
    "CosineDPMSolverMultistepScheduler",
    "CMStochasticIterativeScheduler",
    "ScoreSdeVeScheduler",
    "AmusedScheduler",
  ],
])("a model published with %s is refused by name, whatever solver is asked for", (name) => {
  const own = { _class_name: name, sigma_data: 0.5, sigma_max: 80, sigma_min: 0.002 };
  const asked = [undefined, "euler", "sde-dpmsolver++", { _class_name: "EulerDiscreteScheduler" }];
  for (const scheduler of asked) {
    expect(() => planFor(own, { scheduler, steps: 3, width: 64, height: 64 })).toThrow(
      expect.objectContaining({
        code: "unsupported_setting",
        message: expect.stringContaining(name),
      }),
    );
  }
});

test.each(["EDMEulerScheduler", "EDMDPMSolverMultistepScheduler"])(
  "a model published with %s takes EDM's schedulers alone, and no other model does",
  (name) => {
    const own = { _class_name: name };
    for (const scheduler of [undefined, "edm_euler", "edm_dpmpp_2m"]) {
      expect(planFor(own, { scheduler, steps: 3, width: 64, height: 64 }).plan.solver).toMatch(
        /^EDM/,
      );
    }
    for (const scheduler of ["euler", { _class_name: "EulerDiscreteScheduler" }]) {
      expect(() => planFor(own, { scheduler, steps: 3, width: 64, height: 64 })).toThrow(
        /pick edm_euler/,
      );
    }
    const other = { _class_name: "DDIMScheduler", clip_sample: false };
    expect(() =>
      planFor(other, { scheduler: { _class_name: name }, steps: 3, width: 64, height: 64 })
    ).toThrow(
      expect.objectContaining({ code: "unsupported_setting" }),
    );
  },
);

test.each(["DDIMInverseScheduler", "MyScheduler"])(
  "%s is not taken for another solver, and may be replaced by a named one",
  (name) => {
    const own = { _class_name: name, clip_sample: false, ...betas };
    expect(() => planFor(own, { scheduler: undefined, steps: 3, width: 64, height: 64 })).toThrow(
      new RegExp(`${name}.*not supported; pick a scheduler`),
    );
    expect(planFor(own, { scheduler: "euler", steps: 3, width: 64, height: 64 }).plan.timesteps)
      .toHaveLength(3);
  },
);
