import { expect, test } from "vitest";
import { AppError, reason } from "../../../core/error.ts";
import { errorFacts } from "../../../core/error_codes.ts";
import { decodeRequest, planFor } from "../../../core/request/mod.ts";
import type { Plan } from "../../../core/schedule/mod.ts";

const OWN = {
  _class_name: "DDIMScheduler",
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  num_train_timesteps: 1000,
  prediction_type: "epsilon",
  clip_sample: false,
};
const DEFAULTS = { width: 64, height: 64, steps: 4, guidanceScale: 7.5, seed: 1n };
/** Each is a legal value somewhere; together they are an absurd request. */
const CHOICES = {
  _class_name: [
    ...["DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "EulerDiscreteScheduler"],
    ...["EulerAncestralDiscreteScheduler", "DDIMScheduler", "LCMScheduler"],
  ],
  algorithm_type: ["dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver"],
  solver_order: [1, 2, 3],
  predict_x0: [true, false],
  timestep_spacing: ["linspace", "leading", "trailing"],
  beta_schedule: ["linear", "scaled_linear", "squaredcos_cap_v2"],
  beta_start: [0.0001, 0.00085, 0.02, -1, 1],
  beta_end: [0.012, 0.02, 0.3, 0.999, 1, 2],
  num_train_timesteps: [2, 100, 1000, 10_000],
  prediction_type: ["epsilon", "v_prediction", "sample"],
  rescale_betas_zero_snr: [true, false],
  final_sigmas_type: ["zero", "sigma_min"],
  use_karras_sigmas: [true, false],
  use_exponential_sigmas: [true, false],
  sigma_max: [0.5, 80, 1e6],
  sigma_min: [1e-9, 0.03, 5],
  steps_offset: [0, 1, 999],
  interpolation_type: ["linear", "log_linear"],
  set_alpha_to_one: [true, false],
} as const;
const STEPS = [1, 1, 2, 3, 4, 7, 20, 50];

/** Uniform in [0, 1), the same in every run: mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = generator(14);
const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)];

function oddRequest(): Record<string, unknown> {
  const rare = Object.entries(CHOICES).filter(([key]) => key === "_class_name" || random() < 0.3);
  const settings = Object.fromEntries(rare.map(([key, values]) => [key, one<unknown>(values)]));
  return { steps: one(STEPS), guidanceScale: one([0, 1, 7.5, 100]), scheduler: settings };
}

/** @returns the plan, or the refusal, which has to be the caller's fault. */
function planned(fields: Record<string, unknown>): Plan | AppError {
  try {
    return planFor(OWN, decodeRequest(fields, DEFAULTS)).plan;
  } catch (error) {
    if (error instanceof AppError && errorFacts(error.code).status === 400) return error;
    throw new Error(`${JSON.stringify(fields)}: ${reason(error)}`, { cause: error });
  }
}

/** The largest |x| and |D| that noise of 6.8 and a network that says 8 come to, each by itself. */
function widest({ rows, initialScale }: Plan): number {
  const values = rows.flatMap(({ sigma, fromOut, noise }) => [
    ...[6.8 * sigma, 8 * fromOut, 6.8 * noise],
  ]);
  return Math.max(...[6.8 * initialScale, ...values].map((value) => Math.abs(value)));
}

const REQUESTS = Array.from({ length: 1500 }, oddRequest);

test("planFor plans 1,500 odd requests within float16, or refuses them by a 400", () => {
  const plans = REQUESTS.map(planned);
  const good = plans.filter((plan): plan is Plan => !(plan instanceof AppError));
  for (const [k, plan] of plans.entries()) {
    if (plan instanceof AppError) continue;
    const numbers = plan.rows.flatMap((row) => Object.values(row).flat());
    expect(numbers.every(Number.isFinite), JSON.stringify(REQUESTS[k])).toBe(true);
    expect(widest(plan), JSON.stringify(REQUESTS[k])).toBeLessThanOrEqual(65504);
  }
  // Neither all nor none: else nothing was tried.
  expect(good.length).toBeGreaterThan(300);
  expect(good.length).toBeLessThan(1300);
});

test("planFor names the noise of a plan that leaves float16, and what to change", () => {
  const scheduler = {
    _class_name: "EulerDiscreteScheduler",
    timestep_spacing: "trailing",
    beta_schedule: "squaredcos_cap_v2",
  };
  const error = planned({ steps: 1, scheduler });
  expect(error).toMatchObject({
    code: "unsupported_setting",
    message: expect.stringMatching(/step 1 of 1 has noise of \d+.*timestep_spacing "leading"/),
  });
});
