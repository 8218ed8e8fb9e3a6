import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  denoisedCombination,
  evaluate,
  nextCombination,
  startCombination,
} from "../../../core/schedule/mod.ts";
import { parseModelJson } from "../../../core/model/model_json.ts";
import { type ModelFiles, readModelConfig } from "../../../core/model/mod.ts";
import { joinRows, loadModel, type Model, splitRows } from "../../../core/inference/mod.ts";
import { PromptConditioner } from "../../../core/prompt/mod.ts";
import { decodeRequest, type GenerationRequest, planFor } from "../../../core/request/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import {
  readRecordedCalls,
  type Recorded,
  type RecordedCall,
} from "../../../server/parts/recorded_calls.ts";
import { filesUnder, golden } from "../../fixtures/golden_models.ts";
import { bytesFiles } from "../../fixtures/memory_files.ts";

/**
 * Whole runs of diffusers' pipelines of SD 3 and FLUX, by test/golden/pipelines/record_transformers.py:
 * each piece from what was recorded before it.
 */
interface Run {
  readonly name: string;
  readonly files: () => Promise<ModelFiles>;
}

const folder = (name: string) => () => openModel(golden(`pipelines/${name}`));
const RUNS: readonly Run[] = [
  { name: "pipe-sd3", files: folder("pipe-sd3") },
  { name: "pipe-sd3-without-t5", files: () => Promise.resolve(withoutT5()) },
  { name: "pipe-flux-dev", files: folder("pipe-flux-dev") },
  { name: "pipe-flux-schnell", files: folder("pipe-flux-schnell") },
];

/** As people store SD 3 who leave out its largest part. */
function withoutT5(): ModelFiles {
  const files = filesUnder(golden("pipelines/pipe-sd3"));
  const index = JSON.parse(new TextDecoder().decode(files.get("model_index.json")));
  const nothing = { text_encoder_3: [null, null], tokenizer_3: [null, null] };
  const kept = [...files].filter(([path]) => !/^(text_encoder|tokenizer)_3\//.test(path));
  const without = new TextEncoder().encode(JSON.stringify({ ...index, ...nothing }));
  return bytesFiles({ ...Object.fromEntries(kept), "model_index.json": without });
}

describe.each(RUNS)("$name", ({ name, files }) => {
  // deno-lint-ignore no-explicit-any -- as it was recorded
  const { calls, tolerance }: any = parseModelJson(
    readFileSync(golden(`pipelines/${name}-txt2img/case.json`), "utf8"),
  );
  let model: Model;
  let conditioner: PromptConditioner;
  let recorded: ReadonlyMap<string, RecordedCall>;
  beforeAll(async () => {
    model = await loadModel(await files(), await cpuRuntime());
    conditioner = await PromptConditioner.load(model);
    const io = await readRecordedCalls(golden(`pipelines/${name}-txt2img/io.safetensors`));
    recorded = new Map(io.map((call) => [call.name, call]));
  });
  afterAll(() => model[Symbol.asyncDispose]());

  const found = (call: string, side: "inputs" | "outputs", tensor: string): Recorded => {
    const tensors = recorded.get(call)?.[side].get(tensor);
    if (!tensors) throw new Error(`${call} has no ${tensor}`);
    return tensors;
  };
  const output = (call: string, tensor: string) => found(call, "outputs", tensor);
  const expectClose = (what: string, actual: Float32Array, expected: Recorded) => {
    const largest = expected.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = actual.map((value, i) => Math.abs(value - expected.values[i]));
    expect(actual.length, what).toBe(expected.values.length);
    expect(Math.max(...off) / largest, what).toBeLessThanOrEqual(tolerance.relative);
  };
  const requestOf = (call: string): GenerationRequest => {
    const { arguments: given } = calls[call];
    const [height, width] = given.size_hw;
    return decodeRequest({
      prompt: given.prompt,
      prompt2: given.prompt_2,
      negativePrompt: given.negative_prompt,
      negativePrompt2: given.negative_prompt_2,
      clipSkip: given.clip_skip,
    }, {
      ...{ height, width, steps: given.num_inference_steps, seed: 0n },
      guidanceScale: given.guidance_scale,
    });
  };
  const rows = (tensor: Recorded) =>
    splitRows(tensor.values, tensor.values.length / tensor.dims[0]);

  test.each(Object.keys(calls))("%s: prompts", async (call) => {
    const { positive, negative } = await conditioner.condition(requestOf(call));
    const sides = negative ? [negative, positive] : [positive];
    const { dims } = output(call, "encoder_hidden_states");
    expect([sides.length, positive.tokens]).toEqual(dims.slice(0, 2));
    const hidden = joinRows(sides.map((side) => side.hidden));
    expectClose("hidden", hidden, output(call, "encoder_hidden_states"));
    const pooled = joinRows(sides.map((side) => side.pooled ?? new Float32Array()));
    expectClose("pooled", pooled, output(call, "text_embeds"));
  });

  test.each(Object.keys(calls))("%s: the network", async (call) => {
    const states = output(call, "encoder_hidden_states");
    const pooled = rows(output(call, "text_embeds"));
    const text = rows(states).map((hidden, i) => ({
      hidden,
      tokens: states.dims[1],
      pooled: pooled[i],
    }));
    const { guidanceScale } = requestOf(call);
    const given = { text, timeIds: [], guidanceScale, adapterScales: [] };
    const constant = model.unet.constantInputs(given);
    for (const [i, timestep] of output(call, "timesteps").values.entries()) {
      const sample = output(call, `unet_input.${i}`);
      const predicted = await model.unet.predict(sample.values, sample.dims, [timestep], constant);
      expectClose(`step ${i}`, predicted, output(call, `unet_output.${i}`));
    }
  });

  test.each(Object.keys(calls))("%s: the plan, guidance and the solver", (call) => {
    const request = requestOf(call);
    const { plan } = planFor(model.config.scheduler, request);
    expectClose("timesteps", Float32Array.from(plan.timesteps), output(call, "timesteps"));
    const noise = found(call, "inputs", "latents").values;
    let x: Float32Array = evaluate(noise.length, startCombination(plan, noise, undefined));
    const denoised: Float32Array[] = [];
    const states: Float32Array[] = [];
    for (const [i, row] of plan.rows.entries()) {
      const sides = rows(output(call, `unet_output.${i}`));
      const own = sides[sides.length - 1];
      const negativeOutput = sides.length === 2 ? sides[0] : undefined;
      const { guidanceScale, guidanceRescale } = request;
      const guided = { output: own, negativeOutput, guidanceScale, guidanceRescale };
      const plain = denoisedCombination({ fromX: 0, fromOut: 1 }, own, guided);
      expectClose(`guided ${i}`, evaluate(own.length, plain), output(call, `guided.${i}`));
      states.unshift(x);
      denoised.unshift(evaluate(x.length, denoisedCombination(row, x, guided)));
      const tensors = { states, denoised, noise: () => x, source: undefined };
      const next = nextCombination(row, { ...tensors, startNoise: () => noise });
      expectClose(`step ${i}`, evaluate(x.length, next), output(call, `latents.${i}`));
      x = output(call, `latents.${i}`).values;
    }
  });

  test.each(Object.keys(calls))("%s: the image", async (call) => {
    const steps = output(call, "timesteps").values.length;
    const { dims: [, ...latent], values } = output(call, `latents.${steps - 1}`);
    const decoded = await model.vaeDecoder.decode(values, latent);
    expectClose("image", decoded, output(call, "decoded"));
  });

  test("prompts are weighed for CLIP alone, and refused with weights by name", async () => {
    const request = (prompt: string) =>
      decodeRequest({ prompt, weighting: "a1111" }, {
        ...{ height: 64, width: 64, steps: 1, guidanceScale: 1, seed: 0n },
      });
    await expect(conditioner.condition(request("a (red:1.3) bird"))).rejects
      .toMatchObject({ code: "unsupported_setting", field: "prompt" });
    const [plain, escaped] = [request("a (red) bird"), request(String.raw`a \(red\) bird`)];
    await expect(conditioner.condition(plain)).rejects.toThrow(/weights and BREAK/);
    const { positive } = await conditioner.condition(escaped);
    const literal = { ...escaped, prompt: "a (red) bird", weighting: "none" } as const;
    expect(positive.hidden).toEqual((await conditioner.condition(literal)).positive.hidden);
  });
});

test("what a family reads of a request is said, and what it does not is refused or told", async () => {
  const model = await loadModel(
    await openModel(golden("pipelines/pipe-flux-schnell")),
    await cpuRuntime(),
  );
  try {
    const conditioner = await PromptConditioner.load(model);
    const of = { height: 64, width: 64, steps: 1, guidanceScale: 3, seed: 0n };
    const long = decodeRequest({ prompt: "sea ".repeat(300), negativePrompt: "blur" }, of);
    const { negative, notices } = await conditioner.condition(long);
    expect(negative).toBeUndefined();
    expect(notices).toEqual([
      expect.stringContaining("The negative prompt is not used"),
      expect.stringMatching(/The prompt has \d+ tokens, 511 are used/),
    ]);
    await expect(conditioner.condition({ ...long, clipSkip: 1 })).rejects
      .toMatchObject({ code: "unsupported_setting", field: "clipSkip" });
  } finally {
    await model[Symbol.asyncDispose]();
  }
});

test("latents of SD 3 are cut by its patches, and no larger than its places", async () => {
  const { denoiser } = await readModelConfig(await openModel(golden("pipelines/pipe-sd3")));
  // Of its config.json: sample_size 16, patch_size 2, pos_embed_max_size 12.
  expect(denoiser).toEqual({ latentChannels: 16, sampleSize: 16, multiple: 2, largest: 24 });
});

/** FLUX with files left out, changed in some fields, or taken from other places. */
function spoiled(
  changes: Readonly<Record<string, undefined | string | Readonly<Record<string, unknown>>>>,
): ModelFiles {
  const files = filesUnder(golden("pipelines/pipe-flux-schnell"));
  for (const [path, change] of Object.entries(changes)) {
    const bytes = files.get(typeof change === "string" ? change : path) ?? new Uint8Array();
    files.delete(path);
    if (typeof change === "string") files.set(path, bytes);
    if (typeof change !== "object") continue;
    const json = { ...JSON.parse(new TextDecoder().decode(bytes)), ...change };
    files.set(path, new TextEncoder().encode(JSON.stringify(json)));
  }
  return bytesFiles(Object.fromEntries(files));
}

test.each<[string, Parameters<typeof spoiled>[0], RegExp]>([
  ["CLIP in place of T5", {
    "text_encoder_2/config.json": "text_encoder/config.json",
    "text_encoder_2/model.safetensors": "text_encoder/model.safetensors",
  }, /text_encoder_2.* is of CLIP, and must be of T5/],
  [
    "no tokenizer",
    { "tokenizer_2/tokenizer.json": undefined },
    /tokenizer_2\/tokenizer\.json is missing/,
  ],
  [
    "an unknown field",
    { "transformer/config.json": { magic: 1 } },
    /FluxTransformer2DModel: magic is not/,
  ],
  [
    "another VAE",
    { "vae/config.json": { latent_channels: 4 } },
    /latents of 16 channels.*different models/,
  ],
  [
    "no second text encoder",
    { "model_index.json": { text_encoder_2: [null, null] } },
    /it has no text_encoder_2/,
  ],
  [
    "a kind that edits",
    { "transformer/config.json": { in_channels: 384 } },
    /reads an image as well, which is not supported/,
  ],
])("FLUX with %s is refused by name", async (_, changes, message) => {
  await expect(loadModel(spoiled(changes), await cpuRuntime())).rejects
    .toMatchObject({ code: "model_invalid", message: expect.stringMatching(message) });
});
