import { describe, expect, test } from "vitest";
import { planFromConfig } from "../../../core/schedule/mod.ts";
import { expectReplay, type GoldenSchedule } from "../../fixtures/golden_schedule.ts";
import golden from "../../golden/diffusers_schedulers.json" with { type: "json" };

// Numbers: huggingface/diffusers 58eb52c, torch CPU float32; see test/golden/README.md.
type Case = GoldenSchedule & { readonly sigmas: readonly number[] };
const cases = golden as unknown as readonly Case[];

describe.each(cases)("planFromConfig and replay meet diffusers: $name", (expected) => {
  const plan = planFromConfig(
    { ...expected.config, _class_name: expected.scheduler },
    expected.num_inference_steps,
  );

  test("timesteps, exactly as single precision holds them", () => {
    expect(plan.timesteps).toEqual(expected.timesteps.map(Math.fround));
  });

  test("sigmas to 1e-5 and the initial scale", () => {
    expect(plan.sigmas?.length ?? 0).toBe(expected.sigmas.length);
    for (const [i, sigma] of expected.sigmas.entries()) {
      expect(Math.abs((plan.sigmas?.[i] ?? NaN) - sigma)).toBeLessThanOrEqual(1e-5 * sigma);
    }
    expect(plan.initialScale).toBe(Math.fround(expected.init_noise_sigma));
  });

  test("every state and network input to 2e-6 of the largest magnitude", () => {
    // Ten times the accumulated rounding seen here, a tenth of what must hold.
    expectReplay(plan, expected, 2e-6);
  });
});
