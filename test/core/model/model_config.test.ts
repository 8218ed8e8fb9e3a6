import { expect, test } from "vitest";
import golden from "../../golden/diffusers_defaults.json" with { type: "json" };
import { readModelConfig } from "../../../core/model/mod.ts";
import { readOwnScheduler } from "../../../core/model/mod.ts";
import { memoryFiles } from "../../fixtures/memory_files.ts";
import { rejection } from "../../fixtures/rejection.ts";

type Json = Readonly<Record<string, unknown>>;

const euler = { _class_name: "EulerDiscreteScheduler", steps_offset: 1 };
const part = ["optimum", "ORTModel"];
const sd = { _class_name: "StableDiffusionPipeline", unet: part, vae: part };
const sdxl = {
  _class_name: "StableDiffusionXLPipeline",
  text_encoder: part,
  text_encoder_2: part,
  unet: part,
  vae: part,
};

/** A folder of configurations; undefined stands for no such file. */
function folder(files: Readonly<Record<string, Json | undefined>>) {
  const all = {
    "model_index.json": sd,
    "scheduler/scheduler_config.json": euler,
    "unet/config.json": {},
    "vae_decoder/config.json": {},
    "text_encoder/config.json": {},
    ...files,
  };
  const there = Object.entries(all).filter(([, json]) => json !== undefined);
  return memoryFiles(Object.fromEntries(there.map(([path, json]) => [path, JSON.stringify(json)])));
}

const read = (files: Readonly<Record<string, Json | undefined>>) => readModelConfig(folder(files));
const nulls = (of: Json) => Object.fromEntries(Object.keys(of).map((key) => [key, null]));
const { UNet2DConditionModel: unetDefaults, AutoencoderKL: vaeDefaults } = golden.constructors;

test("empty configs have the defaults of diffusers' classes, and nulls are defaults", async () => {
  const { denoiser, vae, textEncoder, notices } = await read({});
  expect(denoiser).toEqual({
    latentChannels: unetDefaults.in_channels,
    sampleSize: 64,
    // Of four blocks all but the last halve.
    multiple: 2 ** (unetDefaults.block_out_channels.length - 1),
  });
  expect(vae).toMatchObject({
    scaling_factor: vaeDefaults.scaling_factor,
    force_upcast: vaeDefaults.force_upcast,
    latent_channels: vaeDefaults.latent_channels,
  });
  expect(textEncoder.hidden_act).toBe("quick_gelu");
  expect(notices).toEqual([]);
  const withNulls = await read({
    "unet/config.json": nulls(unetDefaults),
    "vae_decoder/config.json": nulls(vaeDefaults),
    "text_encoder/config.json": { hidden_act: null },
  });
  expect(withNulls).toEqual(await read({}));
});

test("what is no number is refused, naming file and field", async () => {
  for (const scaling_factor of ["0.18", -1, 0]) {
    await expect(read({ "vae_decoder/config.json": { scaling_factor } })).rejects
      .toMatchObject({
        code: "model_invalid",
        message: expect.stringMatching(/vae_decoder\/config\.json.*scaling_factor/),
      });
  }
});

test("SDXL's empty prompt is zeros unless its index says no", async () => {
  const zeroes = async (json: Json) =>
    (await read({ "model_index.json": { ...sdxl, ...json } })).index.zeroesEmptyPrompt;
  expect(await zeroes({})).toBe(
    golden.constructors.StableDiffusionXLPipeline.force_zeros_for_empty_prompt,
  );
  expect(await zeroes({ force_zeros_for_empty_prompt: false })).toBe(false);
  expect(await zeroes({ force_zeros_for_empty_prompt: null })).toBe(false);
  await expect(zeroes({ force_zeros_for_empty_prompt: "yes" })).rejects.toThrow(/true or false/);
  await expect(zeroes({ requires_aesthetics_score: true })).rejects.toThrow(/refiner/);
});

test("native size: by the family where the UNet does not say, 64 for the first configs", async () => {
  const side = async (unet: Json, index: Json = sd) =>
    (await read({ "unet/config.json": unet, "model_index.json": index })).denoiser.sampleSize;
  expect(await side({ sample_size: null }, sdxl)).toBe(128);
  expect(await side({ sample_size: [96, 64] })).toEqual([96, 64]);
  expect(await side({ sample_size: 32, _diffusers_version: "0.6.0" })).toBe(64);
  expect(await side({ sample_size: 32, _diffusers_version: "0.9.0" })).toBe(32);
  expect(await side({ sample_size: 32 })).toBe(32);
});

test.each(["vae", "vae_encoder"])("the VAE's config is found in %s as well", async (name) => {
  const { vae, notices } = await read({
    "model_index.json": sdxl,
    "vae_decoder/config.json": undefined,
    [`${name}/config.json`]: { scaling_factor: 0.13025 },
  });
  expect(vae.scaling_factor).toBe(0.13025);
  expect(notices).toEqual([]);
});

test("a config that is not there: SD's is known and noticed, SDXL's VAE is refused", async () => {
  const without = { "vae_decoder/config.json": undefined, "unet/config.json": undefined };
  const { vae, denoiser, notices } = await read(without);
  expect([vae.scaling_factor, denoiser.sampleSize]).toEqual([0.18215, 64]);
  expect(notices.join("\n")).toMatch(/no unet\/config\.json.*512x512.*\n.*0\.18215 was taken/);
  const error = await rejection(read({ ...without, "model_index.json": sdxl }));
  expect(error).toMatchObject({ code: "model_invalid" });
  expect(String(error)).toMatch(/vae_decoder\/config\.json.*missing.*scaling_factor.*vae\/config/);
});

test("an SDXL VAE that gives no scale is noticed, as is one of another class", async () => {
  const { notices } = await read({ "model_index.json": sdxl });
  expect(notices[0]).toMatch(/no scaling_factor in vae_decoder\/config\.json: 0\.18215 was taken/);
  const tiny = await read({ "vae_decoder/config.json": { _class_name: "AutoencoderTiny" } });
  expect(tiny.vae.scaling_factor).toBe(1);
  await expect(read({ "vae_decoder/config.json": { _class_name: "AutoencoderDC" } })).rejects
    .toThrow(/AutoencoderDC without scaling_factor/);
});

test.each<[string, Json, RegExp]>([
  ["a mean for another number of channels", { latents_mean: [1, 2] }, /latents_mean is 2 numbers/],
  ["a VAE of another scale", { block_out_channels: [64, 64, 64] }, /makes 4 pixels/],
  [
    "a VAE of other latents",
    { latent_channels: 16 },
    /latents of 4 channels.*latent_channels is 16/,
  ],
])("%s is refused", async (_, vae, message) => {
  await expect(read({ "vae_decoder/config.json": vae })).rejects.toThrow(message);
});

test("a UNet that reads an image without a mask is refused as such", async () => {
  await expect(read({ "unet/config.json": { in_channels: 8 } })).rejects.toThrow(
    /instruction models/,
  );
});

test("a folder without an index is recognised by its parts, with a notice", async () => {
  const { index, notices } = await read({ "model_index.json": undefined });
  expect(index.className).toBe("StableDiffusionPipeline");
  expect(notices[0]).toMatch(/no model_index\.json: it was taken for StableDiffusionPipeline/);
  const xl = await read({
    "model_index.json": undefined,
    "text_encoder_2/config.json": {},
    "vae_decoder/config.json": { scaling_factor: 0.13025 },
  });
  expect(xl.index).toEqual({ className: "StableDiffusionXLPipeline", zeroesEmptyPrompt: true });
});

const scheduler = (config: Json, index: Json = sd) =>
  readOwnScheduler(
    folder({ "scheduler/scheduler_config.json": config, "model_index.json": index }),
  );

test.each(golden.amendingPipelines)("%s sets steps_offset and clip_sample", async (_class_name) => {
  const { config, notices } = await scheduler({ _class_name: "DDIMScheduler" }, { _class_name });
  expect(config).toMatchObject({ steps_offset: 1, clip_sample: false });
  expect(notices).toEqual([
    `steps_offset of the model's DDIMScheduler is not set, 0 by default: 1 was used, as diffusers' ${_class_name} does`,
    `clip_sample of the model's DDIMScheduler is not set, true by default: false was used, as diffusers' ${_class_name} does`,
  ]);
  const given = { _class_name: "DDIMScheduler", steps_offset: 0, clip_sample: true };
  const outdated = await scheduler(given, { _class_name });
  expect(outdated.config).toEqual(config);
  expect(outdated.notices[0]).toContain("steps_offset of the model's DDIMScheduler is 0: 1 was");
});

test.each(["StableDiffusionXLPipeline", "LatentConsistencyModelPipeline"])(
  "%s leaves the scheduler's configuration as it is",
  async (_class_name) => {
    const given = { _class_name: "DDIMScheduler" };
    expect(await scheduler(given, { _class_name })).toEqual({ config: given, notices: [] });
  },
);

test("nothing is said where nothing changes, or no plan would", async () => {
  const published = { _class_name: "DDIMScheduler", steps_offset: 1, clip_sample: false };
  expect(await scheduler(published)).toEqual({ config: published, notices: [] });
  const trailing = { _class_name: "EulerDiscreteScheduler", timestep_spacing: "trailing" };
  expect(await scheduler(trailing)).toEqual({
    config: { ...trailing, steps_offset: 1 },
    notices: [],
  });
  const flow = { _class_name: "FlowMatchEulerDiscreteScheduler" };
  expect((await scheduler(flow)).config).toEqual(flow);
});

test("the scheduler's class is the index's where its file names none", async () => {
  const index = { ...sd, scheduler: ["diffusers", "EulerDiscreteScheduler"] };
  const { config } = await scheduler({ steps_offset: 1, _class_name: null }, index);
  expect(config).toEqual(euler);
});
