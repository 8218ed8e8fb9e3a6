import { describe, expect, test } from "vitest";
import { evaluate, planFromConfig, startCombination } from "../../../core/schedule/mod.ts";
import {
  expectReplay,
  type GoldenPartialRun,
  relativeError,
} from "../../fixtures/golden_schedule.ts";
import golden from "../../golden/diffusers_partial_runs.json" with { type: "json" };

// Numbers: huggingface/diffusers 58eb52c, torch CPU float32; see test/golden/README.md.
const cases = golden as unknown as readonly GoldenPartialRun[];

describe.each(cases)("a run that starts from an image meets diffusers: $name", (expected) => {
  const { config, strength } = expected;
  const plan = planFromConfig(
    { ...config, _class_name: expected.scheduler },
    expected.num_inference_steps,
    { ...expected.set_timesteps, strength },
  );
  const tolerance = config.rescale_betas_zero_snr ? 1e-4 : 2e-5;

  test("its timesteps, and its start from source and noise", () => {
    expect(plan.timesteps).toHaveLength(expected.timesteps.length);
    for (const [i, timestep] of expected.timesteps.entries()) {
      expect(Math.abs(plan.timesteps[i] - timestep)).toBeLessThan(1e-3);
    }
    const noise = Float32Array.from(expected.start_noise);
    const source = { latent: Float32Array.from(expected.source) };
    const start = evaluate(noise.length, startCombination(plan, noise, source));
    expect(relativeError(start, expected.initial_sample)).toBeLessThan(tolerance);
  });

  test("every state and network input", () => expectReplay(plan, expected, tolerance));
});

test("LMS begins with what it knows, one derivative, where diffusers weights four", () => {
  const config = { _class_name: "LMSDiscreteScheduler" };
  const lms = planFromConfig(config, 8, { strength: 0.5 });
  const euler = planFromConfig({ _class_name: "EulerDiscreteScheduler" }, 8, { strength: 0.5 });
  const [{ states: [state], denoised }] = lms.rows;
  expect(denoised).toHaveLength(1);
  expect(state).toBeCloseTo(euler.rows[0].states[0], 6);
  expect(denoised[0]).toBeCloseTo(euler.rows[0].denoised[0], 6);
});

test("a strength that leaves no step is refused with one that does", () => {
  const config = { _class_name: "EulerDiscreteScheduler" };
  expect(() => planFromConfig(config, 30, { strength: 0.02 })).toThrow(
    "strength is 0.02, which is less than one of 30 steps: ask for at least 0.034, or for more steps",
  );
});
