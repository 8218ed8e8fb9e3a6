import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import {
  denoisedWeights,
  MAX_REACH,
  type Plan,
  planFromConfig,
  type PlanRow,
  replay,
} from "../../../core/schedule/mod.ts";
import { allConfigs, exactConfigs, noisyConfigs } from "./configs.ts";

// Around the warm-up of third order, and where the last orders are and are not lowered.
const stepCounts = [1, 2, 3, 15, 30];

describe("planFromConfig, for every solver and setting", () => {
  test.each([1, 3, 30, 999])("is finite plain JSON of %i steps", (steps) => {
    const configs = steps > 30 ? allConfigs.filter((_, i) => i % 20 === 0) : allConfigs;
    for (const config of configs) {
      const twice = /^(Heun|KDPM2)/.test(String(config._class_name));
      const plan = planFromConfig(config, Math.min(steps, twice ? 500 : 1000));
      const numbers = plan.rows.flatMap((row) => Object.values(row).flat());
      expect(numbers.every(Number.isFinite), JSON.stringify(config)).toBe(true);
      const read = JSON.parse(JSON.stringify(plan));
      // Thousands of plans: `toEqual` would take longer than all planners.
      if (!isDeepStrictEqual(read, plan)) expect(read).toStrictEqual(plan);
      expect(plan.timesteps).toEqual(plan.rows.map((row) => row.timestep));
    }
  });

  test("lists weights to the last that is not 0, one at least and four at most", () => {
    for (const config of allConfigs) {
      for (const { states, denoised } of planFromConfig(config, 8).rows) {
        for (const { length, [length - 1]: last } of [states, denoised]) {
          const fits = length >= 1 && length <= MAX_REACH && (length === 1 || last !== 0);
          if (!fits) expect.fail(`${length} weights, the last ${last}: ${JSON.stringify(config)}`);
        }
      }
    }
  });

  test("reads no further back than it has been", () => {
    for (const config of allConfigs) {
      const { rows } = planFromConfig(config, 8);
      for (const [i, row] of rows.entries()) {
        expect(Math.max(row.states.length, row.denoised.length)).toBeLessThanOrEqual(i + 1);
      }
    }
  });
});

describe("the true noise in, the marginal of the next step out", () => {
  test.each(stepCounts)("exactly, without noise, in %i steps", (steps) => {
    for (const config of exactConfigs) {
      const plan = planFromConfig(config, steps);
      for (const [i, next] of marginalsAfter(plan).entries()) {
        const { alpha, sigma } = carried(plan.rows, i);
        expectMarginal(config, { alpha, sigma }, next);
      }
    }
  });

  test.each(stepCounts)("in variance, with noise, in %i steps", (steps) => {
    for (const config of noisyConfigs) {
      const plan = planFromConfig(config, steps);
      for (const [i, next] of marginalsAfter(plan).entries()) {
        const { alpha, sigma } = carried(plan.rows, i);
        const noisy = Math.hypot(sigma, plan.rows[i].noise);
        expectMarginal(config, { alpha, sigma: noisy }, next);
      }
    }
  });

  test("replay lands on x0", () => {
    const x0 = Float32Array.of(0.3, -1.2, 0.7);
    const eps = Float32Array.of(-0.4, 0.9, 1.6);
    const endingAtZero = exactConfigs.filter((config) => config.final_sigmas_type === "zero");
    for (const config of endingAtZero) {
      const plan = planFromConfig(config, 9);
      const { alpha, sigma } = plan.rows[0];
      // The cosine schedule starts at a ratio of 20,000, where single precision has few digits left.
      // EDM's network predicts a mix of noise and image.
      if (plan.solver.startsWith("EDM")) continue;
      if (plan.predictionType !== "epsilon" || sigma / alpha > 1000) continue;
      const start = x0.map((value, j) => alpha * value + sigma * eps[j]);
      const end = replay(plan, start, () => eps, () => eps)[8];
      for (const [j, value] of x0.entries()) expect(end[j]).toBeCloseTo(value, 4);
    }
  });
});

interface Marginal {
  readonly alpha: number;
  readonly sigma: number;
}

/** To 5e-8, sigma relative to 1 + sigma: by comparison, as `expect` takes longer than a plan. */
function expectMarginal(config: object, { alpha, sigma }: Marginal, next: Marginal): void {
  const off = [alpha - next.alpha, (sigma - next.sigma) / (1 + next.sigma)];
  if (off.every((each) => Math.abs(each) < 5e-8)) return;
  expect.fail(`${JSON.stringify({ config, alpha, sigma, next })}`);
}

/** Marginals at steps 1 to N - 1, and at N where that is sigma 0 of a diffusion. */
function marginalsAfter(plan: Plan): Marginal[] {
  const end = plan.sigmas?.at(-1) === 0 ? [{ alpha: 1, sigma: 0 }] : [];
  return [...plan.rows.slice(1), ...end];
}

/** Shares of x0 and eps in x_{i+1} when every state so far was on its marginal and every D was x0. */
function carried(rows: readonly PlanRow[], i: number): Marginal {
  const row = rows[i];
  const denoised = row.denoised.reduce((sum, weight) => sum + weight, 0);
  return {
    alpha: row.states.reduce((sum, weight, age) => sum + weight * rows[i - age].alpha, denoised),
    sigma: row.states.reduce((sum, weight, age) => sum + weight * rows[i - age].sigma, 0),
  };
}

describe("solvers agree where they are the same", () => {
  test("DPM-Solver++ of order 1 is DDIM", () => {
    const shared = { beta_schedule: "scaled_linear", timestep_spacing: "trailing" };
    const dpm = planFromConfig(
      { _class_name: "DPMSolverMultistepScheduler", solver_order: 1, ...shared },
      10,
    );
    const ddim = planFromConfig(
      { _class_name: "DDIMScheduler", clip_sample: false, ...shared },
      10,
    );
    expect(dpm.timesteps).toEqual(ddim.timesteps);
    for (const [i, row] of ddim.rows.entries()) {
      // DPM-Solver reads alpha back from a sigma in single precision.
      expect(dpm.rows[i].states[0]).toBeCloseTo(row.states[0], 6);
      expect(dpm.rows[i].denoised[0]).toBeCloseTo(row.denoised[0], 6);
    }
  });

  test("DPM-Solver of order 1 is DPM-Solver++ of order 1, and so is UniPC without its corrector", () => {
    const shared = { solver_order: 1, final_sigmas_type: "sigma_min" };
    const dpm = "DPMSolverMultistepScheduler";
    const disable_corrector = Array.from({ length: 10 }, (_, i) => i);
    const [first, ...others] = [
      { _class_name: dpm, ...shared },
      { _class_name: dpm, algorithm_type: "dpmsolver", ...shared },
      { _class_name: "UniPCMultistepScheduler", disable_corrector, ...shared },
      { _class_name: "UniPCMultistepScheduler", disable_corrector, predict_x0: false, ...shared },
    ].map((config) => planFromConfig(config, 10));
    for (const { rows } of others) {
      for (const [i, row] of first.rows.entries()) {
        expect(rows[i].states[0]).toBeCloseTo(row.states[0], 9);
        expect(rows[i].denoised[0]).toBeCloseTo(row.denoised[0], 9);
      }
    }
  });
});

describe("order of convergence on Gaussian data, whose flow is known exactly", () => {
  // Halving the step divides the error by 2^order; a first-order start costs some of it.
  test.each([
    ["DPM-Solver++ 1", { solver_order: 1 }, 1.8, 2.2],
    ["DPM-Solver++ 2 midpoint", { solver_order: 2 }, 3.5, 4.6],
    ["DPM-Solver++ 2 heun", { solver_order: 2, solver_type: "heun" }, 3.5, 4.6],
    ["DPM-Solver 2", { algorithm_type: "dpmsolver", solver_order: 2 }, 3.5, 4.6],
  ])("%s", (_, settings, min, max) => {
    const config = {
      _class_name: "DPMSolverMultistepScheduler",
      beta_schedule: "scaled_linear",
      use_lu_lambdas: true,
      final_sigmas_type: "sigma_min",
      lower_order_final: false,
      ...settings,
    };
    const ratio = gaussianError(planFromConfig(config, 81)) /
      gaussianError(planFromConfig(config, 161));
    expect(ratio).toBeGreaterThan(min);
    expect(ratio).toBeLessThan(max);
  });

  test.each([["bh1", 2], ["bh2", 2], ["bh1", 3], ["bh2", 3]])(
    "UniPC %s of order %i is closer than DPM-Solver++ of order 2",
    (solver_type, solver_order) => {
      const shared = { use_exponential_sigmas: true, final_sigmas_type: "sigma_min" };
      const dpm = planFromConfig({ _class_name: "DPMSolverMultistepScheduler", ...shared }, 41);
      const uniPc = planFromConfig(
        { _class_name: "UniPCMultistepScheduler", solver_type, solver_order, ...shared },
        41,
      );
      expect(gaussianError(uniPc)).toBeLessThan(gaussianError(dpm));
    },
  );
});

/**
 * x0 ~ N(0, deviation^2): D = alpha deviation^2 x / spread^2 with spread^2 = alpha^2 deviation^2 +
 * sigma^2, and x / spread is constant along the flow. One element, in double precision.
 */
function gaussianError({ rows, sigmas = [] }: Plan): number {
  const deviation = 0.6;
  const spread = (row: { alpha: number; sigma: number }) =>
    Math.hypot(row.alpha * deviation, row.sigma);
  const states = [1];
  const denoised: number[] = [];
  for (const [i, row] of rows.entries()) {
    denoised.push(row.alpha * deviation ** 2 * states[i] / spread(row) ** 2);
    const terms = [
      ...row.states.map((weight, age) => weight * states[i - age]),
      ...row.denoised.map((weight, age) => weight * denoised[i - age]),
    ];
    states.push(terms.reduce((sum, term) => sum + term, 0));
  }
  const last = sigmas[rows.length];
  const alpha = 1 / Math.hypot(1, last);
  const exact = spread({ alpha, sigma: last * alpha }) / spread(rows[0]);
  return Math.abs(states[rows.length] - exact);
}

test("denoisedWeights undoes each prediction type at its marginal", () => {
  const [x0, eps] = [0.7, -1.3];
  const [alpha, sigma] = [0.8, 0.6];
  const x = alpha * x0 + sigma * eps;
  const outputs = { epsilon: eps, v_prediction: alpha * eps - sigma * x0, sample: x0 } as const;
  for (const type of ["epsilon", "v_prediction", "sample"] as const) {
    const { fromX, fromOut } = denoisedWeights(type, { alpha, sigma });
    expect(fromX * x + fromOut * outputs[type]).toBeCloseTo(x0, 12);
  }
  const flow = denoisedWeights("flow_prediction", { alpha: 0.4, sigma: 0.6 });
  expect(flow.fromX * (0.4 * x0 + 0.6 * eps) + flow.fromOut * (eps - x0)).toBeCloseTo(x0, 12);
});

test("replay refuses a network output of another length", () => {
  const plan = planFromConfig({ _class_name: "EulerDiscreteScheduler" }, 1);
  const run = () =>
    replay(plan, new Float32Array(4), () => new Float32Array(3), () => new Float32Array(4));
  expect(run).toThrow(expect.objectContaining({ code: "shape_mismatch" }));
});
