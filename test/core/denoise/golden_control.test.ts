import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { controlInputs, groupControls, type RunControl } from "../../../core/denoise/control.ts";
import { loadModel, type Model } from "../../../core/inference/mod.ts";
import { parseModelJson } from "../../../core/model/model_json.ts";
import { controlScaleAt } from "../../../core/request/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { readRecordedCalls, type Recorded } from "../../../server/parts/recorded_calls.ts";
import { golden } from "../../fixtures/golden_models.ts";

/** Runs of diffusers' ControlNet pipelines, step by step from what was recorded before each. */
const RUNS = [
  ["pipe-sd1", "pipe-sd1-controlnet", ["pipe-sd1-controlnet/controlnet"]],
  ["pipe-sdxl", "pipe-sdxl-controlnet", ["pipe-sdxl-controlnet/controlnet"]],
  ["pipe-sd1", "pipe-sd1-multicontrolnet", [
    "pipe-sd1-controlnet/controlnet",
    "pipe-sd1-multicontrolnet/controlnet",
  ]],
] as const;

describe.each(RUNS)("%s, %s", (name, run, folders) => {
  const at = (path: string) => golden(join("pipelines", path));
  // deno-lint-ignore no-explicit-any -- as it was recorded
  const { calls, tolerance }: any = parseModelJson(readFileSync(at(`${run}/case.json`), "utf8"));
  let model: Model;
  let recorded: Map<string, Awaited<ReturnType<typeof readRecordedCalls>>[number]>;
  beforeAll(async () => {
    model = await loadModel(
      await openModel(at(name), { controls: folders.map(at) }),
      await cpuRuntime(),
    );
    const io = await readRecordedCalls(at(`${run}/io.safetensors`));
    recorded = new Map(io.map((call) => [call.name, call]));
  });
  afterAll(() => model[Symbol.asyncDispose]());

  const tensor = (call: string, side: "inputs" | "outputs", name: string): Recorded => {
    const found = recorded.get(call)?.[side].get(name);
    if (!found) throw new Error(`${call} has no ${name}`);
    return found;
  };

  /** Rows of the text, as they were given to the networks. */
  const textOf = (call: string) => {
    const { dims, values } = tensor(call, "outputs", "encoder_hidden_states");
    const pooled = recorded.get(call)?.outputs.get("text_embeds");
    const part = (all: Float32Array | undefined, i: number) =>
      all?.slice(i * all.length / dims[0], (i + 1) * all.length / dims[0]);
    return Array.from({ length: dims[0] }, (_, i) => ({
      hidden: part(values, i) ?? new Float32Array(),
      tokens: dims[1],
      pooled: part(pooled?.values, i),
    }));
  };

  const controlOf = async (call: string): Promise<RunControl> => {
    const given = calls[call].arguments;
    const share = (list: unknown, k: number, otherwise: number) =>
      [list].flat()[k] as number ?? otherwise;
    const opened = await model.controlled(
      (model.files.controls ?? []).map(({ network }) => network),
    );
    const controls = opened.nets.map((net, k) => {
      const hints = recorded.get(call)?.inputs;
      const hint = (hints?.get(`control_image.${k}`) ?? hints?.get("control_image"))?.values;
      const use = {
        scale: share(given.controlnet_conditioning_scale, k, 1),
        start: share(given.control_guidance_start, k, 0),
        end: share(given.control_guidance_end, k, 1),
      };
      const scaleAt = (index: number, steps: number) => controlScaleAt(use, index, steps);
      return { net, hint: hint ?? new Float32Array(), scaleAt };
    });
    return { ...opened, controls };
  };

  test.each(Object.keys(calls))("%s: the network at each step", async (call) => {
    const control = await controlOf(call);
    const text = textOf(call);
    const timeIds = [...recorded.get(call)?.outputs.get("time_ids")?.values.slice(0, 6) ?? []];
    const constant = control.unet.constantInputs({
      text,
      timeIds,
      guidanceScale: 1,
      adapterScales: [],
    });
    const timesteps = tensor(call, "outputs", "timesteps").values;
    for (const [index, timestep] of timesteps.entries()) {
      const { values: sample, dims } = tensor(call, "outputs", `unet_input.${index}`);
      const [, channels, height, width] = dims;
      const groups = groupControls(control, { text, timeIds, dims: [channels, height, width] });
      const step = { sample, dims, timestep, index, steps: timesteps.length };
      const inputs = { ...constant, ...await controlInputs(control, groups, step) };
      const output = await control.unet.predict(sample, dims, [timestep], inputs);
      const { values } = tensor(call, "outputs", `unet_output.${index}`);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = output.map((value, i) => Math.abs(value - values[i]));
      expect(Math.max(...off) / largest, `step ${index}`).toBeLessThanOrEqual(tolerance.relative);
    }
  });
});

test("a ControlNet of another family is refused by what it lacks", async () => {
  const sdxl = golden("pipelines/pipe-sdxl-controlnet/controlnet");
  const files = await openModel(golden("pipelines/pipe-sd1"), { controls: [sdxl] });
  await using model = await loadModel(files, await cpuRuntime());
  const [{ network }] = files.controls ?? [];
  await expect(model.controlled([network])).rejects.toMatchObject({
    code: "model_invalid",
    message: expect.stringMatching(/Cannot use the ControlNet .*residuals, and the UNet takes/),
  });
  await expect(model.controlled(["embedded"])).rejects.toMatchObject({ field: "control" });
});
