import { describe, expect, test } from "vitest";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import { expectReplay, type GoldenSchedule } from "../../fixtures/golden_schedule.ts";
import golden from "../../golden/diffusers_schedulers_more.json" with { type: "json" };

// Numbers: huggingface/diffusers 58eb52c, torch CPU float32; see test/golden/README.md.
const cases = golden as unknown as readonly GoldenSchedule[];

describe.each(cases)("planFromConfig and replay meet diffusers: $name", (expected) => {
  const { config } = expected;
  const plan = planFromConfig(
    { ...config, _class_name: expected.scheduler },
    expected.num_inference_steps,
    expected.set_timesteps,
  );
  // The first sigma of zero terminal SNR is 4096, and single precision is diffusers' own.
  const tolerance = config.rescale_betas_zero_snr ? 1e-4 : 2e-5;

  test("timesteps to a thousandth, and the initial scale", () => {
    expect(plan.timesteps).toHaveLength(expected.timesteps.length);
    for (const [i, timestep] of expected.timesteps.entries()) {
      expect(Math.abs(plan.timesteps[i] - timestep)).toBeLessThan(1e-3);
    }
    expect(Math.abs(plan.initialScale / expected.init_noise_sigma - 1)).toBeLessThan(1e-6);
  });

  test("every state and network input to the runs' own tolerance", () => {
    expectReplay(plan, expected, tolerance);
  });
});
