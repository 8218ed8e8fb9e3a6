import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { maskedInput } from "../../../core/denoise/masked_input.ts";
import { keptPlanes, latentMask, type RgbaImage } from "../../../core/image/mod.ts";
import { loadModel, type Model } from "../../../core/inference/mod.ts";
import { parseModelJson } from "../../../core/model/model_json.ts";
import {
  denoisedCombination,
  evaluate,
  nextCombination,
  planFromConfig,
  startCombination,
} from "../../../core/schedule/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { readRecordedCalls, type Recorded } from "../../../server/parts/recorded_calls.ts";
import { golden } from "../../fixtures/golden_models.ts";
import { writeInpaintModel } from "../../fixtures/inpaint_model.ts";

/** Runs of diffusers' StableDiffusionInpaintPipeline with a UNet of 9 channels, step by step. */
const RUN = golden("pipelines/pipe-sd1-inpaint9");
const DIMS = [4, 8, 8] as const;
const PLANE = 64;
const SIDE = 64;
// deno-lint-ignore no-explicit-any -- as it was recorded
const { calls, tolerance }: any = parseModelJson(readFileSync(join(RUN, "case.json"), "utf8"));

describe.each(Object.keys(calls))("%s", (call) => {
  let folder: string;
  let model: Model;
  let tensors: ReadonlyMap<string, Recorded>;
  let given: ReadonlyMap<string, Recorded>;
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    await writeInpaintModel(folder);
    model = await loadModel(await openModel(folder), await cpuRuntime());
    const io = await readRecordedCalls(join(RUN, "io.safetensors"));
    const found = io.find(({ name }) => name === call);
    if (!found) throw new Error(`${call} is not recorded`);
    [given, tensors] = [found.inputs, found.outputs];
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  });

  const valuesOf = (map: ReadonlyMap<string, Recorded>, name: string): Float32Array => {
    const found = map.get(name);
    if (!found) throw new Error(`${call} has no ${name}`);
    return found.values;
  };
  const expectClose = (what: string, actual: Float32Array, expected: Float32Array) => {
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = actual.map((value, i) => Math.abs(value - expected[i]));
    expect(actual.length, what).toBe(expected.length);
    // The source comes from our own encoder, which is itself as far from diffusers'.
    expect(Math.max(...off) / largest, what).toBeLessThanOrEqual(2 * tolerance.relative);
  };

  /** The source, from the image and the mask. */
  const sourceOf = async () => {
    const image = valuesOf(given, "image").map((value) => 2 * value - 1);
    const white = valuesOf(given, "mask");
    const data = Uint8ClampedArray.from({ length: 4 * SIDE * SIDE }, (_, i) => 255 * white[i >> 2]);
    const mask: RgbaImage = { width: SIDE, height: SIDE, data };
    const encoder = await model.vaeEncoder();
    const size = { width: SIDE, height: SIDE, channels: DIMS[0] };
    return {
      latent: await encoder.encode(image, size),
      mask: latentMask(mask, DIMS),
      kept: await encoder.encode(keptPlanes(image, mask), size),
    };
  };

  test("the network reads latent, mask and kept latent, in this order", async () => {
    const masked = maskedInput(await sourceOf(), DIMS);
    const { values: states, dims } = tensors.get("encoder_hidden_states") ?? {
      values: new Float32Array(),
      dims: [],
    };
    const half = states.length / 2;
    const text = [0, 1].map((i) => ({
      hidden: states.slice(i * half, (i + 1) * half),
      tokens: dims[1],
      pooled: undefined,
    }));
    const of = { text, timeIds: [], guidanceScale: 1, adapterScales: [], masked };
    const constant = model.unet.constantInputs(of);
    for (const [i, timestep] of valuesOf(tensors, "timesteps").entries()) {
      const all = valuesOf(tensors, `unet_input.${i}`);
      expectClose("mask and kept", masked?.values ?? all, all.slice(4 * PLANE, 9 * PLANE));
      const sample = Float32Array.from(
        { length: 8 * PLANE },
        (_, k) => all[k % (4 * PLANE) + 9 * PLANE * Math.floor(k / (4 * PLANE))],
      );
      const output = await model.unet.predict(sample, [2, ...DIMS], [timestep], constant);
      expectClose(`step ${i}`, output, valuesOf(tensors, `unet_output.${i}`));
    }
  });

  test("starts from noise at strength 1, else from the image, and is not blended", async () => {
    const { scheduler_class, scheduler_config, arguments: asked } = calls[call];
    const config = { ...scheduler_config, _class_name: scheduler_class };
    const plan = planFromConfig(config, asked.num_inference_steps, {
      strength: asked.strength,
      inpaints: "by network",
    });
    const source = await sourceOf();
    expect(plan.timesteps).toEqual([...valuesOf(tensors, "timesteps")]);
    const start = evaluate(
      source.latent.length,
      startCombination(plan, valuesOf(given, "noise.0"), source),
    );
    const scaled = Float32Array.from(start, (value) => plan.rows[0].inScale * value);
    expectClose("x_0", scaled, valuesOf(tensors, "unet_input.0").slice(0, 4 * PLANE));
    const states = [Float32Array.from(start)];
    const denoised: Float32Array[] = [];
    for (const [i, row] of plan.rows.entries()) {
      const both = valuesOf(tensors, `unet_output.${i}`);
      const guided = {
        output: both.slice(4 * PLANE),
        negativeOutput: both.slice(0, 4 * PLANE),
        guidanceScale: asked.guidance_scale,
      };
      denoised.unshift(evaluate(4 * PLANE, denoisedCombination(row, states[0], guided)));
      const step = { states, denoised, noise: () => new Float32Array(), source };
      const latents = valuesOf(tensors, `latents.${i}`);
      expectClose(`step ${i}`, evaluate(4 * PLANE, nextCombination(row, step)), latents);
      states.unshift(Float32Array.from(latents));
    }
  });
});
