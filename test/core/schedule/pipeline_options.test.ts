import { expect, test } from "vitest";
import { pipelineOptions, planFromConfig } from "../../../core/schedule/mod.ts";

// As published with FLUX.1-dev.
const dynamic = {
  base_image_seq_len: 256,
  base_shift: 0.5,
  max_image_seq_len: 4096,
  max_shift: 1.15,
  use_dynamic_shifting: true,
};

test("FLUX gives its own sigmas, and the shift on the line through both ends", () => {
  const sigmas = [1, 0.75, 0.5, 0.25];
  expect(pipelineOptions("FluxPipeline", dynamic, 4, 4096)).toEqual({ mu: 1.15, sigmas });
  expect(pipelineOptions("FluxPipeline", dynamic, 4, 256).mu).toBeCloseTo(0.5, 14);
  expect(pipelineOptions("FluxPipeline", { shift: 1 }, 4, 256)).toEqual({ sigmas });
});

// calculate_shift of pipeline_lumina2.py and pipeline_stable_diffusion_3.py of diffusers 58eb52c.
test("Lumina 2 shifts alike for every size, SD3 has no sigmas of its own and another end", () => {
  const lumina = [256, 4096].map((tokens) =>
    pipelineOptions("Lumina2Pipeline", { use_dynamic_shifting: true }, 4, tokens).mu
  );
  expect(lumina).toEqual([lumina[0], lumina[0]]);
  expect(lumina[0]).toBeCloseTo(0.5 - 0.65 * 240 / 3840, 14);
  const sd3 = (_class_name: string) =>
    pipelineOptions(
      "StableDiffusion3Pipeline",
      { _class_name, use_dynamic_shifting: true },
      4,
      4096,
    );
  expect(sd3("UniPCMultistepScheduler")).toEqual({ mu: expect.closeTo(1.16, 14) });
  // The class has a default of its own, which the pipeline reads: pipeline_plans.json.
  expect(sd3("FlowMatchEulerDiscreteScheduler")).toEqual({ mu: expect.closeTo(1.15, 14) });
});

test("pipelines that add nothing leave the plan as it is", () => {
  const config = { _class_name: "EulerDiscreteScheduler" };
  const options = pipelineOptions("StableDiffusionPipeline", config, 5, 4096);
  expect(planFromConfig(config, 5, options)).toEqual(planFromConfig(config, 5));
});
