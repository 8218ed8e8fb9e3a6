import { afterAll, expect, test } from "vitest";
import { bindKernel, compileKernel } from "../../../core/gpu/mod.ts";
import { prepareSteps, stepKernel } from "../../../core/denoise/mod.ts";
import { planFromConfig } from "../../../core/mod.ts";
import { philoxNormal } from "../../../shaders/mod.ts";
import { ownGpu } from "../../fixtures/own_gpu.ts";

const gpu = await ownGpu();
afterAll(() => gpu[Symbol.dispose]());
const plan = planFromConfig({ _class_name: "DPMSolverMultistepScheduler" }, 5);
const batch = { plan, n: 1024, seeds: [1n, 2n], guidanceScale: 7.5, guidanceRescale: 0 };

test("prepareSteps binds x_0 and every step, and gives all buffers back", async () => {
  const before = gpu.buffers.memory.inUse;
  {
    using steps = await prepareSteps(gpu, { ...batch, dataType: "float32" });
    expect(steps.dispatches).toHaveLength(6);
    // Negative and positive rows of two images.
    expect(steps.networkInput.bytes).toBe(4 * 1024 * 4);
    expect(steps.stateBits.bytes).toBe(2 * 1024 * 2);
    expect(gpu.buffers.memory.inUse).toBeGreaterThan(before);
  }
  expect(gpu.buffers.memory.inUse).toBe(before);
});

test("prepareSteps rescales guidance before each step but that of x_0, where there is guidance", async () => {
  const rescaled = { ...batch, guidanceRescale: 0.7, dataType: "float32" } as const;
  using steps = await prepareSteps(gpu, rescaled);
  expect(steps.dispatches.map(({ length }) => length)).toEqual([1, 2, 2, 2, 2, 2]);
  using unguided = await prepareSteps(gpu, { ...rescaled, guidanceScale: undefined });
  expect(unguided.dispatches.map(({ length }) => length)).toEqual([1, 1, 1, 1, 1, 1]);
});

test("stepKernel refuses a float16 latent of odd length", () => {
  expect(() => stepKernel("float16", 63)).toThrow(
    "Cannot step a float16 latent: its length is 63, not a multiple of 4",
  );
});

test("bindKernel refuses a wrong number of buffers and a dispatch that is too large", async () => {
  const compiled = await compileKernel(gpu, philoxNormal);
  expect(() => bindKernel(gpu, compiled, [], { items: 1, images: 1 })).toThrow(
    "Cannot bind philox_normal: 0 buffers are given, not 3",
  );
  using buffer = gpu.buffers.take(16, "any");
  const three = [buffer.buffer, buffer.buffer, buffer.buffer];
  expect(() => bindKernel(gpu, compiled, three, { items: 2 ** 32, images: 1 })).toThrow(
    /^Cannot dispatch philox_normal: \d+ x 1 workgroups are more than \d+$/,
  );
});
