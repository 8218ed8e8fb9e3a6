import { expect, test } from "vitest";
import { betaQuantile } from "../../../core/schedule/beta_quantile.ts";
import { linspace, roundHalfEven } from "../../../core/schedule/grid.ts";
import { logFloat32 } from "../../../core/schedule/log_float32.ts";
import { planFromConfig } from "../../../core/schedule/mod.ts";

// scipy.stats.beta.ppf(p, 0.6, 0.6), SciPy 1.10.1.
test.each([
  [1e-06, 1.8558824624053e-10],
  [0.001, 1.8558738517452e-05],
  [0.1, 0.0395844055887808],
  [0.3, 0.234017003875236],
  [0.5, 0.5],
  [0.777, 0.853582004596046],
  [0.95, 0.987445543126389],
  [0.9999, 0.999999600162284],
])("betaQuantile of %d", (p, expected) => {
  expect(Math.abs(betaQuantile(p, 0.6) - expected)).toBeLessThan(1e-13);
});

test("betaQuantile is symmetric and rises", () => {
  const quantiles = linspace(0, 1, 101).map((p) => betaQuantile(p, 0.6));
  expect(quantiles).toEqual(quantiles.toSorted((a, b) => a - b));
  for (const [i, quantile] of quantiles.entries()) {
    expect(quantile + quantiles[100 - i]).toBeCloseTo(1, 12);
  }
});

// numpy.log of float32 values, numpy 1.24.2; each differs from the rounded logarithm.
test.each([
  [0.0834232345223427, -2.4838285446167],
  [0.716738760471344, -0.333043873310089],
  [1.01714670658112, 0.0170013625174761],
  [1.33176350593567, 0.286504030227661],
  [2.66449022293091, 0.980012714862823],
])("logFloat32 of %d", (x, expected) => {
  expect(logFloat32(Math.fround(x))).toBe(Math.fround(expected));
});

test("roundHalfEven rounds halves to even, the rest to the nearest", () => {
  expect([0.5, 1.5, 2.5, -0.5, 2.4999, 999.5].map(roundHalfEven)).toEqual([0, 2, 2, 0, 2, 1000]);
});

// Sigmas and timesteps of Euler with Karras', exponential and beta spacing over Stable Diffusion's
// betas, 4 steps: diffusers' set_timesteps as written, in torch 1.13, numpy 1.24.2, SciPy 1.10.1.
test.each(
  [["use_karras_sigmas", [14.614645, 3.16861081, 0.446920872, 0.0291675329], [
    999,
    687.153259,
    145.939026,
    0,
  ]], ["use_exponential_sigmas", [14.614645, 1.8400321, 0.231666133, 0.0291675329], [
    999,
    538.066895,
    52.3824577,
    0,
  ]], ["use_beta_sigmas", [14.614645, 10.5976105, 4.04620171, 0.0291675329], [
    999,
    943.933228,
    746.944702,
    0,
  ]]] as const,
)("%s", (key, sigmas, timesteps) => {
  const plan = planFromConfig({
    _class_name: "EulerDiscreteScheduler",
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: "scaled_linear",
    [key]: true,
  }, 4);
  for (const [i, sigma] of sigmas.entries()) {
    expect(Math.abs(plan.rows[i].sigma / sigma - 1)).toBeLessThan(1e-6);
    expect(plan.timesteps[i]).toBe(Math.fround(timesteps[i]));
  }
});

// Over the default betas, from the same source and versions. There the first sigma is the last
// training step's own, and a timestep is cut off rather than rounded.
const dpm = "DPMSolverMultistepScheduler";
const uniPc = "UniPCMultistepScheduler";
test.each([
  [{ _class_name: dpm, use_exponential_sigmas: true }, [999, 721, 302, 30, 0]],
  [{ _class_name: dpm, use_beta_sigmas: true }, [999, 979, 927, 808, 0]],
  [{ _class_name: uniPc, use_exponential_sigmas: true }, [999, 721, 302, 30, 0]],
  [{ _class_name: uniPc, use_beta_sigmas: true }, [999, 979, 927, 808, 0]],
  // lu's spacing goes before these, and gives way to Karras'.
  [{ _class_name: dpm, use_lu_lambdas: true, use_exponential_sigmas: true }, [999, 603, 73, 0]],
  [{ _class_name: dpm, use_lu_lambdas: true, use_beta_sigmas: true }, [999, 603, 73, 0]],
])("%j gives the network the timesteps %j", (config, timesteps) => {
  expect(planFromConfig(config, timesteps.length).timesteps).toEqual(timesteps);
});

// The same source: its grid ends at -1 there, which counts as the sigma of training step 0.
test("Karras' sigmas end at the last training step's where trailing has one stop too many", () => {
  const config = { _class_name: "EulerDiscreteScheduler", timestep_spacing: "trailing" };
  const { timesteps, sigmas = [] } = planFromConfig({ ...config, use_karras_sigmas: true }, 61);
  expect(timesteps.slice(0, 2)).toEqual([999, Math.fround(990.266357)]);
  expect([timesteps.at(-1), sigmas.at(-2)]).toEqual([0, Math.fround(0.0100013297)]);
});
