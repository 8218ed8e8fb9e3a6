import { describe, expect, test } from "vitest";
import { join } from "node:path";
import { fromHalf } from "../../core/half.ts";
import { decodeRequest, type GenerationRequest, planFor } from "../../core/request/mod.ts";
import { type GenerateOptions, Pipeline } from "../../core/generation/mod.ts";
import { loadModel, observeRuntime, type Runtime } from "../../core/inference/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import { finishResidual, residualSums } from "../../core/verifier/mod.ts";
import { cpuRuntime, nativeRuntime } from "../../server/compute/mod.ts";
import { openModel } from "../../server/models/mod.ts";
import { rejection } from "../fixtures/rejection.ts";
import { openTinySd } from "../fixtures/open_tiny_sd.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import type { TinySdOptions } from "../fixtures/tiny_sd.ts";

const runtime = await cpuRuntime();

/** What a request makes of a model: every leaf's bits, the image, and the words for the user. */
async function generate(
  files: ModelFiles,
  request: Partial<Record<keyof GenerationRequest, unknown>> = {},
  { on = runtime, ...options }: GenerateOptions & { readonly on?: Runtime } = {},
) {
  await using engine = await Pipeline.open(files, on);
  const leaves: number[][] = [];
  const generation = await engine.generate(
    decodeRequest(
      { prompt: "tau", width: 64, height: 64, steps: 3, seed: 1, ...request },
      { ...engine.defaults, seed: 0n },
    ),
    { onLeaf: ({ bits }) => leaves.push([...bits]), ...options },
  );
  return { ...generation, leaves };
}

const LAST = 6;

test("a folder of the SD 1.x family is not taken for SDXL, and makes an image", async () => {
  const files = await openTinySd();
  await using model = await loadModel(files, runtime);
  expect(model.family).toBe("sd1");
  const { images, leaves, latentDims } = await generate(files);
  expect(latentDims).toEqual([4, 8, 8]);
  expect(leaves).toHaveLength(7);
  expect([images[0].width, images[0].height]).toEqual([64, 64]);
  expect(new Set(images[0].data).size).toBeGreaterThan(50);
});

test("every input of the request that should matter does", async () => {
  const files = await openTinySd();
  const base = (await generate(files)).leaves[LAST];
  const others: Partial<Record<keyof GenerationRequest, unknown>>[] = [
    { prompt: "symbol" },
    { negativePrompt: "symbol" },
    { guidanceScale: 3 },
    { seed: 2 },
    { steps: 3, scheduler: "euler" },
    { prompt: "tao", expandKeywords: false },
  ];
  for (const other of others) {
    expect((await generate(files, other)).leaves.at(-1), JSON.stringify(other)).not.toEqual(base);
  }
  const same = await generate(files, { prompt: "tau symbol" });
  expect((await generate(files, { prompt: "TAO" })).leaves).toEqual(same.leaves);
});

test.each<[string, TinySdOptions]>([
  ["a scalar timestep", { timestepShape: "scalar" }],
  ["a timestep a row", { timestepShape: "batch" }],
  ["a float32 timestep", { timestepType: "float32" }],
  ["int32 token ids", { idType: "int32" }],
  ["weights in a second file", { external: true }],
])("%s makes no difference", async (_, options) => {
  expect((await generate(await openTinySd(options))).leaves).toEqual(
    (await generate(await openTinySd())).leaves,
  );
});

test("a float16 model gives nearly the same latents as in float32", async () => {
  const half = (await generate(await openTinySd({ precision: "float16" }))).images[0].data;
  const full = (await generate(await openTinySd())).images[0].data;
  const differences = half.map((level, i) => Math.abs(level - full[i]));
  expect(Math.max(...differences)).toBeGreaterThan(0);
  // float16 keeps 11 bits of each number; the images have 8.
  expect(Math.max(...differences)).toBeLessThan(8);
});

test("an LCM UNet reads the guidance scale and is called once a step", async () => {
  const files = await openTinySd({ distilled: true, scheduler: { _class_name: "LCMScheduler" } });
  const rows: number[] = [];
  const counting = observeRuntime(runtime, ({ graph, feeds }) => {
    if (graph.startsWith("unet")) rows.push(feeds.sample.dims[0]);
  });
  const weak = await generate(files, { guidanceScale: 4, steps: 2 }, { on: counting });
  expect(rows).toEqual([1, 1]);
  const strong = await generate(files, { guidanceScale: 9, steps: 2 });
  expect(strong.leaves.at(-1)).not.toEqual(weak.leaves.at(-1));
});

test("weights in a file larger than the host takes are refused before any is read", async () => {
  const files = await openTinySd({ external: true });
  const path = "text_encoder/model.onnx_data";
  const small = { ...runtime, maxFileBytes: files.size(path) - 1 };
  const opened: string[] = [];
  const options = { onPart: (part: string) => opened.push(part) };
  await expect(loadModel(files, small, options)).rejects.toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(
      new RegExp(
        `^Cannot load ${path} of .* ${
          files.size(path)
        } bytes.* up to ${small.maxFileBytes}.*outside of a browser`,
      ),
    ),
  });
  expect(opened).toEqual([]);
  await using _ = await loadModel(files, { ...runtime, maxFileBytes: files.size(path) });
});

test("weights that are more together than the host's memory are refused before any is read", async () => {
  const files = await openTinySd({ external: true });
  const parts = ["text_encoder", "unet", "vae_decoder"];
  const paths = parts.flatMap((part) => [`${part}/model.onnx`, `${part}/model.onnx_data`]);
  const all = paths.filter((path) => files.has(path))
    .reduce((sum, path) => sum + files.size(path), 0);
  const small = { ...runtime, maxWeightBytes: all - 1 };
  const opened: string[] = [];
  const options = { onPart: (part: string) => opened.push(part) };
  await expect(loadModel(files, small, options)).rejects.toMatchObject({
    code: "host_unavailable",
    message: expect.stringMatching(
      new RegExp(`^Cannot load the weights of .*: that is ${all} bytes, .* up to ${all - 1} `),
    ),
  });
  expect(opened).toEqual([]);
  await using _ = await loadModel(files, { ...runtime, maxWeightBytes: all });
});

test("the VAE's encoder and ControlNets count as well, when a request needs them", async () => {
  const files = await openModel("embedded");
  const none = await rejection(loadModel(files, { ...runtime, maxWeightBytes: 1 }));
  const [, all] = /that is (\d+) bytes/.exec(none.message) ?? [];
  await using model = await loadModel(files, { ...runtime, maxWeightBytes: Number(all) });
  const refused = {
    code: "host_unavailable",
    message: expect.stringMatching(new RegExp(`up to ${all} of a model`)),
  };
  await expect(model.vaeEncoder()).rejects.toMatchObject(refused);
  await expect(model.controlled(["embedded"])).rejects.toMatchObject(refused);
});

test("guidance of 1 or below takes one row a step, above it two", async () => {
  const files = await openTinySd();
  const { leaves } = await generate(files, { guidanceScale: 1 });
  expect((await generate(files, { guidanceScale: 0.5 })).leaves).toEqual(leaves);
  expect((await generate(files, { guidanceScale: 1, negativePrompt: "symbol" })).leaves)
    .toEqual(leaves);
});

test("a model whose own scheduler is no plan gets the subnet's, and says so", async () => {
  const files = await openTinySd({
    scheduler: { _class_name: "PNDMScheduler", beta_schedule: "scaled_linear" },
  });
  const { plan, notices } = await generate(files);
  expect(plan.solver).toBe("DPMSolverMultistepScheduler");
  expect(notices[0]).toMatch(/PNDMScheduler.*sde-dpmsolver\+\+ was used/);
});

test("a model with PNDM runs it, and says how many network calls a step count comes to", async () => {
  const scheduler = { _class_name: "PNDMScheduler", skip_prk_steps: true };
  const files = await openTinySd({ scheduler: { ...scheduler, beta_schedule: "scaled_linear" } });
  const calls: number[] = [];
  const { plan, notices, leaves } = await generate(files, { steps: 5 }, {
    onStep: ({ steps }) => calls.push(steps),
  });
  expect([plan.solver, notices]).toEqual(["PNDMScheduler", []]);
  expect(calls).toEqual([6, 6, 6, 6, 6, 6]);
  // x_0, and a prediction and a state a call.
  expect(leaves).toHaveLength(13);
});

/** The tiny model with some of its files rewritten, or left out. */
async function changed(
  files: Readonly<Record<string, unknown>>,
  options: TinySdOptions = {},
): Promise<ModelFiles> {
  const { location } = await openTinySd(options);
  for (const [path, json] of Object.entries(files)) {
    if (json === undefined) await Deno.remove(join(location, path));
    else await Deno.writeTextFile(join(location, path), JSON.stringify(json));
  }
  return await openModel(location);
}

test("a VAE with a mean and deviation of its own decodes what they say", async () => {
  const decoded = async (vae: object) => {
    const { images } = await generate(await changed({ "vae_decoder/config.json": vae }));
    return [...images[0].data];
  };
  const [latents_mean, latents_std] = [[0.5, 0.5, 0.5, 0.5], [2, 2, 2, 2]];
  // Powers of two, so that both ways round alike.
  const plain = await decoded({ scaling_factor: 0.125, shift_factor: 0.5 });
  expect(await decoded({ scaling_factor: 0.25, latents_mean, latents_std })).toEqual(plain);
  const uneven = { scaling_factor: 0.25, latents_mean, latents_std: [2, 2, 2, 1] };
  expect(await decoded(uneven)).not.toEqual(plain);
  expect(await decoded({ scaling_factor: 0.25, latents_mean })).toEqual(
    await decoded({ scaling_factor: 0.25 }),
  );
});

test("an LCM model without its UNet's config is guided by what the graph reads", async () => {
  const lcm = { distilled: true, scheduler: { _class_name: "LCMScheduler" } };
  await using engine = await Pipeline.open(
    await changed({ "unet/config.json": undefined }, lcm),
    runtime,
  );
  expect(engine.defaults).toEqual({ width: 512, height: 512, steps: 4, guidanceScale: 8 });
  await using merged = await Pipeline.open(
    await openTinySd({ scheduler: { _class_name: "LCMScheduler" } }),
    runtime,
  );
  expect(merged.defaults.guidanceScale).toBe(1);
});

test("an outdated scheduler config is used as the pipeline does, and the user is notified", async () => {
  const published = await generate(await openTinySd());
  expect(published.notices).toEqual([]);
  const path = "scheduler/scheduler_config.json";
  const { steps_offset: _, clip_sample: __, ...rest } = JSON.parse(
    await (await openTinySd()).text(path),
  );
  const outdated = await generate(await changed({ [path]: rest }));
  expect(outdated.leaves).toEqual(published.leaves);
  expect(outdated.notices.join()).toMatch(/steps_offset.*1 was used.*clip_sample.*false was used/);
});

test("files that newer exports leave out change nothing", async () => {
  const { leaves } = await generate(await openTinySd());
  const newer = await generate(
    await changed({
      "tokenizer/special_tokens_map.json": undefined,
      "tokenizer/tokenizer_config.json": { pad_token: "<|endoftext|>" },
    }),
  );
  expect(newer.leaves).toEqual(leaves);
  expect(newer.notices).toEqual([]);
  const bare = await generate(await changed({ "model_index.json": undefined }));
  expect(bare.leaves).toEqual(leaves);
  expect(bare.notices).toEqual([expect.stringContaining("no model_index.json")]);
});

test("a scheduler given as an object keeps the betas that the model was trained with", async () => {
  const { config } = await loadModel(await openTinySd(), runtime);
  const scheduler = { _class_name: "EulerDiscreteScheduler" };
  const named =
    planFor(config.scheduler, { scheduler: "euler", steps: 5, width: 64, height: 64 }).plan;
  expect(planFor(config.scheduler, { scheduler, steps: 5, width: 64, height: 64 }).plan).toEqual(
    named,
  );
});

test("a run is cancelled between two steps", async () => {
  const controller = new AbortController();
  const steps: number[] = [];
  const run = generate(await openTinySd(), { steps: 50 }, {
    signal: controller.signal,
    onStep: ({ index }) => {
      steps.push(index);
      if (index === 2) controller.abort();
    },
  });
  await expect(run).rejects.toMatchObject({ code: "cancelled" });
  expect(steps).toEqual([0, 1, 2]);
});

test("text is encoded once for many images of one prompt", async () => {
  const calls: string[] = [];
  const counting = observeRuntime(runtime, ({ graph }) => calls.push(graph));
  await using engine = await Pipeline.open(await openTinySd(), counting);
  const request = decodeRequest(
    { prompt: "tau", width: 64, height: 64, steps: 2, batch: 2 },
    { ...engine.defaults, seed: 0n },
  );
  await engine.generate(request);
  await engine.generate(request);
  // The prompt and the negative prompt; two images, two steps, twice.
  expect(calls.filter((path) => path.startsWith("text_encoder"))).toHaveLength(2);
  expect(calls.filter((path) => path.startsWith("unet"))).toHaveLength(8);
});

/** A run, and what the network makes of each of its states again, all in one batch. */
async function repredict(files: ModelFiles, on: Runtime, by: Runtime) {
  await using engine = await Pipeline.open(files, on);
  await using checker = await Pipeline.open(files, by);
  const request = decodeRequest(
    { prompt: "a golden tau symbol", width: 64, height: 64, steps: 4, seed: 3 },
    { ...engine.defaults, seed: 0n },
  );
  const [x, d]: Uint16Array[][] = [[], []];
  const { plan } = await engine.generate(request, {
    onLeaf: ({ kind, bits }) => (kind === "x" ? x : d).push(bits),
  });
  const again = await checker.predict(request, d.map((_, index) => ({ index, bits: x[index] })));
  return d.map((bits, i) => ({
    alpha: plan.rows[i].alpha,
    state: fromHalf(x[i]),
    denoised: fromHalf(bits),
    denoisedAgain: fromHalf(again[i]),
    next: fromHalf(x[i + 1]),
    nextAgain: fromHalf(x[i + 1]),
  }));
}

test.each<[string, TinySdOptions]>([
  ["in one batch", {}],
  ["one by one, when the timestep is a scalar", { timestepShape: "scalar" }],
])("single steps can be predicted again to the last bit, %s", async (_, options) => {
  const pairs = await repredict(await openTinySd(options), runtime, runtime);
  expect(pairs).toHaveLength(4);
  for (const { denoised, denoisedAgain } of pairs) expect(denoisedAgain).toEqual(denoised);
});

test("Deno's WebGPU and the CPU predict the same of each other's states", async () => {
  // The embedded model takes minutes to compile where nothing is cached: Chrome's tests compile it.
  const pairs = await repredict(await openTinySd(), await nativeRuntime(), runtime);
  const errors = pairs.map((pair) => finishResidual(residualSums(pair)).velocityError);
  expect(median(errors)).toBeLessThan(1e-4);
  expect(Math.max(...errors)).toBeLessThan(5e-3);
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

test.each(["sde-dpmsolver++", "euler_a", "ddim", "lcm", "unipc"])(
  "the resident loop on the GPU commits what the CPU's loop does: %s",
  async (scheduler) => {
    const files = await openTinySd();
    const request = { scheduler, batch: 2, steps: 4 };
    const cpu = await generate(files, request);
    const indices: number[] = [];
    const gpu = await generate(files, request, {
      on: await nativeRuntime(),
      onStep: ({ index }) => indices.push(index),
    });
    expect(indices).toEqual([0, 1, 2, 3]);
    expect(gpu.leaves).toHaveLength(cpu.leaves.length);
    for (const [place, bits] of gpu.leaves.entries()) {
      const [ours, theirs] = [bits, cpu.leaves[place]].map((leaf) =>
        fromHalf(Uint16Array.from(leaf))
      );
      const largest = Math.max(...theirs.map(Math.abs));
      const difference = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i])));
      // Two units in the last place of float16 at the largest value: a rounding that fell to the
      // other side, and what the next step made of it.
      expect(difference).toBeLessThanOrEqual(largest * 2 ** -9);
    }
  },
);

test("rescaled guidance changes the image, on a GPU as on the CPU", async () => {
  const files = await openTinySd();
  const plain = await generate(files, {});
  const cpu = await generate(files, { guidanceRescale: 0.7 });
  const gpu = await generate(files, { guidanceRescale: 0.7 }, { on: await nativeRuntime() });
  expect(cpu.leaves[LAST]).not.toEqual(plain.leaves[LAST]);
  const apart = gpu.images[0].data.map((level, i) => Math.abs(level - cpu.images[0].data[i]));
  expect(Math.max(...apart)).toBeLessThanOrEqual(3);
});

test("a side that the network cannot halve often enough is refused by name", async () => {
  const files = await openModel("embedded");
  expect(await rejection(generate(files, { width: 72 }))).toMatchObject({
    code: "invalid_request",
    message: "Cannot generate: width is 72, not a multiple of 32 pixels, which this model " +
      "needs; 64 and 96 fit",
  });
});

test("a UNet that is none is refused by its inputs", async () => {
  const files = await openTinySd();
  const vae = await files.bytes("vae_decoder/model.onnx");
  await Deno.writeFile(join(files.location, "unet/model.onnx"), vae);
  const wrong = await openModel(files.location);
  await expect(loadModel(wrong, runtime)).rejects.toMatchObject({
    code: "model_invalid",
    message: expect.stringMatching(/unet\/model\.onnx.*latent_sample/),
  });
});

test("an SDXL folder without its second text encoder is refused", async () => {
  const files = await openModel("embedded");
  const folder = join(await temporaryFolder(), "xl");
  for (const path of files.paths) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.copyFile(join(files.location, path), join(folder, path));
  }
  const index = JSON.parse(await files.text("model_index.json"));
  delete index.text_encoder_2;
  delete index.tokenizer_2;
  await Deno.writeTextFile(join(folder, "model_index.json"), JSON.stringify(index));
  await expect(loadModel(await openModel(folder), runtime)).rejects.toMatchObject({
    code: "model_invalid",
    message: expect.stringContaining("text_encoder_2"),
  });
});

test("Deno's WebGPU gives the CPU's image", async () => {
  const files = await openTinySd();
  const request = { prompt: "a golden tau symbol", width: 64, height: 64, steps: 2 };
  const cpu = await generate(files, request);
  const gpu = await generate(files, request, { on: await nativeRuntime() });
  const differences = gpu.images[0].data.map((level, i) => Math.abs(level - cpu.images[0].data[i]));
  // Float32 on both: a rounding of the last level, seldom more.
  expect(Math.max(...differences)).toBeLessThanOrEqual(3);
});

describe("requests that run in one batch", () => {
  const REQUESTS = [
    { prompt: "a golden tau symbol", seed: 1n, batch: 1 },
    { prompt: "a red ring", negativePrompt: "blue", seed: 9n, batch: 2 },
    { prompt: "", seed: 4n, batch: 1 },
    // Of more tokens: it goes through the network apart.
    { prompt: "tau BREAK symbol", weighting: "a1111", seed: 5n, batch: 1 },
  ];

  /** Leaves of each image, in the order of the requests. */
  async function leavesOfBatch(on: Runtime, requests: readonly object[]) {
    await using engine = await Pipeline.open(await openTinySd(), on);
    const [first, ...batchedWith] = requests.map((request) =>
      decodeRequest({ width: 64, height: 64, steps: 3, ...request }, {
        ...{ ...engine.defaults, seed: 0n },
      })
    );
    const images = [first, ...batchedWith].reduce((sum, { batch }) => sum + batch, 0);
    const leaves: Float32Array[][] = Array.from({ length: images }, () => []);
    const generation = await engine.generate(first, {
      batchedWith,
      onLeaf: ({ bits }) => {
        const length = bits.length / images;
        for (const [k, own] of leaves.entries()) {
          own.push(fromHalf(bits.slice(k * length, (k + 1) * length)));
        }
      },
    });
    expect(generation.images).toHaveLength(images);
    return leaves;
  }

  test("are on the CPU what each is alone, to the last bit", async () => {
    const together = await leavesOfBatch(runtime, REQUESTS);
    const alone = [];
    for (const request of REQUESTS) alone.push(...await leavesOfBatch(runtime, [request]));
    expect(together).toEqual(alone);
  });

  test.each<[string, () => Promise<Runtime>]>([
    ["in one call of the network", () => Promise.resolve({ ...runtime, imagesPerCall: 4 })],
    ["on the GPU", nativeRuntime],
  ])("are near that %s", async (_, open) => {
    const together = await leavesOfBatch(await open(), REQUESTS);
    const alone = [];
    for (const request of REQUESTS) alone.push(...await leavesOfBatch(runtime, [request]));
    for (const [k, leaves] of together.entries()) {
      for (const [place, values] of leaves.entries()) {
        const theirs = alone[k][place];
        const largest = Math.max(...theirs.map(Math.abs));
        const difference = Math.max(...values.map((value, i) => Math.abs(value - theirs[i])));
        // As for the resident loop: two units in the last place of float16.
        expect(difference).toBeLessThanOrEqual(largest * 2 ** -9);
      }
    }
  });

  test("must have the same size, steps, guidance and scheduler", async () => {
    for (
      const other of [{ steps: 4 }, { width: 128 }, { guidanceScale: 1 }, { scheduler: "ddim" }]
    ) {
      expect(await rejection(leavesOfBatch(runtime, [REQUESTS[0], other]))).toMatchObject({
        code: "invalid_request",
      });
    }
  });
});
