import { describe, expect, test } from "vitest";
import { planFromConfig, replay } from "../../../core/schedule/mod.ts";
import golden from "../../golden/diffusers_schedulers_more.json" with { type: "json" };

// Numbers: huggingface/diffusers 58eb52c, torch CPU float32; see test/golden/README.md.
interface Case {
  readonly name: string;
  readonly scheduler: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly num_inference_steps: number;
  /** What the pipeline adds. */
  readonly set_timesteps?: { readonly mu?: number; readonly sigmas?: readonly number[] };
  readonly timesteps: readonly number[];
  readonly init_noise_sigma: number;
  readonly initial_sample: readonly number[];
  readonly steps: readonly {
    readonly model_input: readonly number[];
    readonly model_output: readonly number[];
    readonly noise?: readonly number[];
    readonly prev_sample: readonly number[];
  }[];
}

const cases = golden as unknown as readonly Case[];

describe.each(cases)("planFromConfig and replay meet diffusers: $name", (expected) => {
  const { config, steps } = expected;
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
    const inputs: Float32Array[] = [];
    const states = replay(
      plan,
      Float32Array.from(expected.initial_sample),
      (i, input) => {
        inputs.push(input);
        return Float32Array.from(steps[i].model_output);
      },
      (i) => Float32Array.from(steps[i].noise ?? []),
    );
    expect(states.length).toBe(steps.length);
    for (const [i, step] of steps.entries()) {
      expect(relativeError(inputs[i], step.model_input)).toBeLessThan(tolerance);
      expect(relativeError(states[i], step.prev_sample)).toBeLessThan(tolerance);
    }
  });
});

function relativeError(actual: Float32Array, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, j) => Math.abs(actual[j] - value))) / largest;
}
