import { expect, test } from "vitest";
import { readOwnScheduler } from "../../../core/model/mod.ts";
import { planFor, plannerOf } from "../../../core/request/mod.ts";
import { memoryFiles } from "../../fixtures/memory_files.ts";
import golden from "../../golden/pipeline_plans.json" with { type: "json" };

const own = async (pipeline: string, scheduler: object) => {
  const files = memoryFiles({
    "model_index.json": JSON.stringify({ _class_name: pipeline }),
    "scheduler/scheduler_config.json": JSON.stringify(scheduler),
  });
  return (await readOwnScheduler(files)).config;
};

// What the scheduler of diffusers' pipeline has once it was called; see test/golden/README.md.
test.each(golden)(
  "a request to $pipeline, $width x $height, has its pipeline's noise levels",
  async (
    { pipeline, scheduler, width, height, steps, sigmas, timesteps },
  ) => {
    const config = await own(pipeline, scheduler);
    const { plan, notices } = planFor(config, { scheduler: undefined, steps, width, height });
    expect(notices).toEqual([]);
    expect(plan.sigmas).toHaveLength(sigmas.length);
    for (const [i, sigma] of sigmas.entries()) expect(plan.sigmas?.[i]).toBeCloseTo(sigma, 6);
    for (const [i, timestep] of timesteps.entries()) {
      expect(plan.timesteps[i]).toBeCloseTo(timestep, 3);
    }
  },
);

test("plans are kept by size where the pipeline shifts by it, and only there", async () => {
  const [{ pipeline, scheduler }] = golden;
  const shifting = plannerOf(await own(pipeline, scheduler));
  const small = { scheduler: undefined, steps: 4, width: 512, height: 512 };
  expect(shifting(small)).toBe(shifting({ ...small }));
  expect(shifting({ ...small, width: 1024 }).plan.sigmas).not.toEqual(shifting(small).plan.sigmas);
  const plain = plannerOf({ _class_name: "EulerDiscreteScheduler" });
  expect(plain({ ...small, width: 1024 })).toBe(plain(small));
});

test("a solver that makes its own levels of a flow is given the shift alone", async () => {
  const [{ pipeline, scheduler }] = golden;
  const config = await own(pipeline, scheduler);
  const request = { steps: 4, width: 512, height: 512 };
  const solver = { _class_name: "UniPCMultistepScheduler", use_flow_sigmas: true };
  const { plan } = planFor(config, {
    ...request,
    scheduler: { ...solver, prediction_type: "flow_prediction", time_shift_type: "exponential" },
  });
  expect(plan.rows).toHaveLength(4);
});

test("no request names a pipeline other than the model's", () => {
  const plain = { _class_name: "FlowMatchEulerDiscreteScheduler" };
  const request = { steps: 4, width: 512, height: 512 };
  const named = planFor(plain, { ...request, scheduler: { _pipeline: "FluxPipeline" } });
  expect(named).toEqual(planFor(plain, { ...request, scheduler: undefined }));
});
