import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  denoisedCombination,
  evaluate,
  nextCombination,
  planFromConfig,
} from "../../../core/schedule/mod.ts";
import { parseModelJson } from "../../../core/model/model_json.ts";
import { joinRows, loadModel, type Model } from "../../../core/inference/mod.ts";
import { PromptConditioner } from "../../../core/prompt/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { readRecordedCalls, type Recorded } from "../../../server/parts/recorded_calls.ts";

/**
 * Whole runs of diffusers' pipelines, each piece from what was recorded before it: text encoders, network,
 * solver and VAE. A run from its start would only gather the same errors.
 */
const GOLDEN = join(import.meta.dirname ?? ".", "../../golden/pipelines");

describe.each(["pipe-sd1", "pipe-sdxl"])("%s, a folder in safetensors", (name) => {
  // deno-lint-ignore no-explicit-any -- as it was recorded
  const { calls, tolerance }: any = parseModelJson(
    readFileSync(join(GOLDEN, `${name}-txt2img`, "case.json"), "utf8"),
  );
  let model: Model;
  let conditioner: PromptConditioner;
  let recorded: Map<string, Awaited<ReturnType<typeof readRecordedCalls>>[number]>;
  beforeAll(async () => {
    model = await loadModel(await openModel(join(GOLDEN, name)), await cpuRuntime());
    // Recorded with an empty negative prompt that was given, which diffusers encodes; one that is left
    // out is zeros, and a request here leaves out what is empty.
    const index = { ...model.config.index, zeroesEmptyPrompt: false };
    conditioner = await PromptConditioner.load({ ...model, config: { ...model.config, index } });
    const io = await readRecordedCalls(join(GOLDEN, `${name}-txt2img`, "io.safetensors"));
    recorded = new Map(io.map((call) => [call.name, call]));
  });
  afterAll(() => model[Symbol.asyncDispose]());

  const outputs = (call: string) => recorded.get(call)?.outputs ?? new Map<string, Recorded>();
  const output = (call: string, tensor: string): Recorded => {
    const found = outputs(call).get(tensor);
    if (!found) throw new Error(`${call} has no ${tensor}`);
    return found;
  };
  const expectClose = (what: string, actual: Float32Array, expected: Recorded) => {
    const largest = expected.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = actual.map((value, i) => Math.abs(value - expected.values[i]));
    expect(actual.length, what).toBe(expected.values.length);
    expect(Math.max(...off) / largest, what).toBeLessThanOrEqual(tolerance.relative);
  };

  test.each(Object.keys(calls))("%s: prompts", async (call) => {
    const {
      prompt,
      negative_prompt: negativePrompt,
      clip_skip: clipSkip,
      guidance_scale,
      size_hw,
    } = calls[call].arguments;
    const rows = [];
    for (const each of [prompt].flat()) {
      const request = decodeRequest({ prompt: each, negativePrompt, clipSkip }, {
        ...{ height: size_hw[0], width: size_hw[1], steps: 4 },
        ...{ guidanceScale: guidance_scale, seed: 0n },
      });
      const { positive, negative } = await conditioner.condition(request);
      rows.push(...negative ? [negative, positive] : [positive]);
    }
    expectClose(
      "hidden",
      joinRows(rows.map(({ hidden }) => hidden)),
      output(call, "encoder_hidden_states"),
    );
    if (name !== "pipe-sdxl") return;
    const pooled = rows.map((row) => row.pooled ?? new Float32Array());
    expectClose("pooled", joinRows(pooled), output(call, "text_embeds"));
  });

  test.each(Object.keys(calls))("%s: the network", async (call) => {
    const { dims, values } = output(call, "encoder_hidden_states");
    const row = values.length / dims[0];
    const pooled = outputs(call).get("text_embeds");
    const width = (pooled?.values.length ?? 0) / dims[0];
    const text = Array.from({ length: dims[0] }, (_, i) => ({
      hidden: values.slice(i * row, (i + 1) * row),
      tokens: dims[1],
      pooled: pooled?.values.slice(i * width, (i + 1) * width),
    }));
    const timeIds = [...outputs(call).get("time_ids")?.values.slice(0, 6) ?? []];
    const constant = model.unet.constantInputs({ text, timeIds, guidanceScale: 1 });
    const timesteps = output(call, "timesteps").values;
    for (const [i, timestep] of timesteps.entries()) {
      const input = output(call, `unet_input.${i}`);
      const predicted = await model.unet.predict(input.values, input.dims, [timestep], constant);
      expectClose(`step ${i}`, predicted, output(call, `unet_output.${i}`));
    }
  });

  test.each(Object.keys(calls))("%s: guidance", (call) => {
    const { guidance_scale: guidanceScale, guidance_rescale: guidanceRescale } =
      calls[call].arguments;
    for (const i of output(call, "timesteps").values.keys()) {
      const { dims, values } = output(call, `unet_output.${i}`);
      const half = values.length / 2;
      const [negativeOutput, own] = guidanceScale > 1
        ? [values.slice(0, half), values.slice(half)]
        : [undefined, values];
      expect(dims[0]).toBe(2);
      const guided = { output: own, negativeOutput, guidanceScale, guidanceRescale };
      const combination = denoisedCombination({ fromX: 0, fromOut: 1 }, own, guided);
      expectClose(`step ${i}`, evaluate(own.length, combination), output(call, `guided.${i}`));
    }
  });

  test.each(Object.keys(calls))("%s: the solver", (call) => {
    const { scheduler_class, scheduler_config, arguments: { num_inference_steps } } = calls[call];
    const config = { ...scheduler_config, _class_name: scheduler_class };
    const plan = planFromConfig(config, num_inference_steps);
    expect(plan.timesteps).toEqual([...output(call, "timesteps").values]);
    const states = [output(call, "start").values];
    const denoised: Float32Array[] = [];
    for (const [i, row] of plan.rows.entries()) {
      const [x] = states;
      const guided = { output: output(call, `guided.${i}`).values, negativeOutput: undefined };
      denoised.unshift(
        evaluate(x.length, denoisedCombination(row, x, { ...guided, guidanceScale: 1 })),
      );
      const noise = () => new Float32Array();
      const next = evaluate(x.length, nextCombination(row, { states, denoised, noise }));
      expectClose(`step ${i}`, next, output(call, `latents.${i}`));
      states.unshift(output(call, `latents.${i}`).values);
    }
  });

  test.each(Object.keys(calls))("%s: the image", async (call) => {
    const { dims, values } = output(call, "final");
    const [images, ...latent] = dims;
    const each = values.length / images;
    const decoded = [];
    for (let i = 0; i < images; i++) {
      decoded.push(await model.vaeDecoder.decode(values.slice(i * each, (i + 1) * each), latent));
    }
    expectClose("image", joinRows(decoded), output(call, "decoded"));
  });
});
