import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { partGraphs } from "../../../core/architecture/mod.ts";
import { openSingleFile } from "../../../core/checkpoint/mod.ts";
import { openVaeFile } from "../../../core/checkpoint/vae_file.ts";
import { FolderFiles } from "../../../server/models/mod.ts";
import { checkpointOf } from "../../fixtures/checkpoint_files.ts";
import {
  clipL,
  indexOf,
  ldmUnet,
  ldmVae,
  prefixed,
  sd1,
  SD1_UNET,
  type Shapes,
} from "../../fixtures/ldm_checkpoint.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");
const FILE = "model.safetensors";
const PUBLISHED = { _class_name: "AutoencoderKL", norm_num_groups: 32, scaling_factor: 0.13025 };

const open = (shapes: Shapes, config: Record<string, unknown> = PUBLISHED) =>
  openVaeFile(checkpointOf(FILE, indexOf(shapes)), FILE, config);

test.each<[string, Shapes]>([
  ["by itself", ldmVae()],
  ["with what it was trained with", { ...ldmVae(), "loss.logvar": [], "model_ema.decay": [] }],
  ["of a checkpoint", sd1()],
])("a VAE in LDM's names opens, %s", async (_, shapes) => {
  const { config, tensors } = await open(shapes);
  const model = await openSingleFile(checkpointOf(FILE, indexOf(sd1())), FILE);
  expect([...tensors.keys()]).toEqual([...model.parts.vae.tensors.keys()]);
  expect(config).toEqual({ ...model.parts.vae.config, ...PUBLISHED, force_upcast: undefined });
  expect(Object.keys(partGraphs("AutoencoderKL", config, tensors))).toEqual(["encoder", "decoder"]);
});

test("a VAE in diffusers' names opens, and has the configuration of its folder", async () => {
  const location = join(GOLDEN, "pipelines/pipe-sdxl/vae");
  const files = await FolderFiles.open({ name: "vae", location });
  const folder = JSON.parse(await files.text("config.json"));
  const said = { norm_num_groups: folder.norm_num_groups, scaling_factor: folder.scaling_factor };
  const path = "diffusion_pytorch_model.safetensors";
  const { config, tensors } = await openVaeFile(files, path, said);
  expect(Object.keys(config).length).toBeGreaterThan(10);
  expect(folder).toMatchObject(config);
  expect(Object.keys(partGraphs("AutoencoderKL", config, tensors))).toEqual(["encoder", "decoder"]);
});

describe("what is no VAE is refused by name", () => {
  test.each<[string, Shapes, string]>([
    ["a LoRA", { "lora_unet_a.lora_up.weight": [4, 4] }, "it is a LoRA"],
    ["a text encoder", clipL(), "it is a text encoder alone"],
    ["a checkpoint without one", prefixed("model.diffusion_model.", ldmUnet(SD1_UNET)), "no VAE"],
    ["TAESD", { "decoder.1.weight": [4, 4, 3, 3], "decoder.3.weight": [4] }, "a tiny autoencoder"],
    ["something beside it", { ...ldmVae(), "head.weight": [4] }, "has no place for head.weight"],
    ["something in it", { ...ldmVae(), "decoder.time.a": [4] }, "no place for decoder.time.a"],
    ["T5", { "encoder.block.0.a.weight": [4], "shared.weight": [4] }, "it is a text encoder alone"],
    [
      "half a VAE",
      Object.fromEntries(Object.entries(ldmVae()).filter(([name]) => !name.includes("up.2"))),
      "decoder.up_blocks.0.resnets.0.conv1.weight is not among its tensors",
    ],
  ])("%s", async (_, shapes, why) => {
    await expect(open(shapes)).rejects.toMatchObject({ code: "model_invalid" });
    await expect(open(shapes)).rejects.toThrow(why);
  });
});
