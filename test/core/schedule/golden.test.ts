import { describe, expect, test } from "vitest";
import { planFromConfig, replay } from "../../../core/schedule/mod.ts";
import golden from "../../golden/diffusers_schedulers.json" with { type: "json" };

// Numbers: huggingface/diffusers 58eb52c, torch CPU float32; see test/golden/README.md.
interface Case {
  readonly name: string;
  readonly scheduler: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly num_inference_steps: number;
  readonly timesteps: readonly number[];
  readonly sigmas: readonly number[];
  readonly init_noise_sigma: number;
  readonly initial_sample: readonly number[];
  readonly steps: readonly {
    readonly model_input: readonly number[];
    readonly model_output: readonly number[];
    readonly noise: readonly number[];
    readonly prev_sample: readonly number[];
  }[];
}

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
    const inputs: Float32Array[] = [];
    const states = replay(
      plan,
      Float32Array.from(expected.initial_sample),
      (i, input) => {
        inputs.push(input);
        return Float32Array.from(expected.steps[i].model_output);
      },
      (i) => Float32Array.from(expected.steps[i].noise),
    );
    expect(states.length).toBe(expected.steps.length);
    for (const [i, step] of expected.steps.entries()) {
      // Ten times the accumulated rounding seen here, a tenth of what must hold.
      expect(relativeError(inputs[i], step.model_input)).toBeLessThan(2e-6);
      expect(relativeError(states[i], step.prev_sample)).toBeLessThan(2e-6);
    }
  });
});

function relativeError(actual: Float32Array, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, j) => Math.abs(actual[j] - value))) / largest;
}
