import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  denoisedCombination,
  evaluate,
  nextCombination,
  planFromConfig,
  type Source,
  startCombination,
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

const RUNS = ["pipe-sd1", "pipe-sdxl"].flatMap((name) =>
  ["txt2img", "img2img", "inpaint"].map((kind) => [name, kind] as const)
);

describe.each(RUNS)("%s, a folder in safetensors, %s", (name, kind) => {
  // deno-lint-ignore no-explicit-any -- as it was recorded
  const { calls, tolerance }: any = parseModelJson(
    readFileSync(join(GOLDEN, `${name}-${kind}`, "case.json"), "utf8"),
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
    const io = await readRecordedCalls(join(GOLDEN, `${name}-${kind}`, "io.safetensors"));
    recorded = new Map(io.map((call) => [call.name, call]));
  });
  afterAll(() => model[Symbol.asyncDispose]());

  const outputs = (call: string) => recorded.get(call)?.outputs ?? new Map<string, Recorded>();
  const output = (call: string, tensor: string): Recorded => {
    const found = outputs(call).get(tensor);
    if (!found) throw new Error(`${call} has no ${tensor}`);
    return found;
  };
  const input = (call: string, tensor: string): Recorded => {
    const found = recorded.get(call)?.inputs.get(tensor);
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
    const constant = model.unet.constantInputs({
      text,
      timeIds,
      guidanceScale: 1,
      adapterScales: [],
    });
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

  const planOf = (call: string) => {
    const { scheduler_class, scheduler_config, arguments: given } = calls[call];
    const config = { ...scheduler_config, _class_name: scheduler_class };
    const options = kind === "txt2img" ? {} : { strength: given.strength };
    const inpaints = kind === "inpaint";
    return planFromConfig(config, given.num_inference_steps, { ...options, inpaints });
  };
  /** The source's latent, and the mask on each of its channels. */
  const sourceOf = async (call: string): Promise<Source | undefined> => {
    if (kind === "txt2img") return undefined;
    const { values, dims: [, , height, width] } = input(call, "image");
    const encoder = await model.vaeEncoder();
    const image = values.map((value) => 2 * value - 1);
    const channels = model.config.vae.latent_channels;
    const latent = await encoder.encode(image, { width, height, channels });
    if (kind === "img2img") return { latent };
    const plane = height * width / 64;
    const mask = latent.map((_, i) => {
      const [y, x] = [Math.floor(i % plane / (width / 8)), i % (width / 8)];
      return input(call, "mask").values[8 * y * width + 8 * x];
    });
    return { latent, mask };
  };
  const startNoise = (call: string) =>
    kind === "txt2img" ? input(call, "latents").values : input(call, "noise.0").values;

  test.each(Object.keys(calls))("%s: the start", async (call) => {
    const plan = planOf(call);
    const combination = startCombination(plan, startNoise(call), await sourceOf(call));
    const start = output(call, "start");
    expectClose("x_0", evaluate(start.values.length, combination), start);
  });

  test.each(Object.keys(calls))("%s: the solver", async (call) => {
    const plan = planOf(call);
    const source = await sourceOf(call);
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
      const tensors = { states, denoised, noise, source, startNoise: () => startNoise(call) };
      const next = evaluate(x.length, nextCombination(row, tensors));
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
