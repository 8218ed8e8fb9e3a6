import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { diffusersNameOfLdmUnet, ldmNameOfDiffusersUnet } from "../../../core/checkpoint/mod.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");
const PREFIX = "model.diffusion_model.";

function readJson(path: string) {
  return JSON.parse(Deno.readTextFileSync(join(GOLDEN, path)));
}

/** Names of UNets as diffusers' own conversion gives them; the mapping is of golden/README.md. */
function pairsOf(family: string): (readonly [ldm: string, diffusers: string])[] {
  const mapping = readJson(`checkpoints/single-file-${family}/mapping.json`);
  return Object.entries<[string | null, string[], string]>(mapping)
    .filter(([, [part]]) => part === "unet")
    .map(([name, [, [diffusers]]]) => [name.slice(PREFIX.length), diffusers]);
}

describe.each(["sd1", "sdxl"])("the UNet of %s", (family) => {
  const config = readJson(`pipelines/pipe-${family}/unet/config.json`);
  const pairs = pairsOf(family);

  test("has in diffusers the names that its converter gives", () => {
    expect(pairs.length).toBeGreaterThan(400);
    expect(pairs.map(([ldm]) => diffusersNameOfLdmUnet(ldm, config)))
      .toEqual(pairs.map(([, diffusers]) => diffusers));
  });

  test("has its LDM names back", () => {
    expect(pairs.map(([, diffusers]) => ldmNameOfDiffusersUnet(diffusers, config)))
      .toEqual(pairs.map(([ldm]) => ldm));
  });
});

/** Published configuration of SDXL base, https://hf.co/stabilityai/stable-diffusion-xl-base-1.0. */
const SDXL = {
  layers_per_block: 2,
  down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
  up_block_types: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
};

// From the blocks of sgm's openaimodel.py, counted by hand.
test.each([
  [
    "input_blocks.7.1.transformer_blocks.9.ff.net.2",
    "down_blocks.2.attentions.0.transformer_blocks.9.ff.net.2",
  ],
  ["input_blocks.3.0.op", "down_blocks.0.downsamplers.0.conv"],
  ["middle_block.2.emb_layers.1", "mid_block.resnets.1.time_emb_proj"],
  ["output_blocks.2.2.conv", "up_blocks.0.upsamplers.0.conv"],
  ["output_blocks.8.0.skip_connection", "up_blocks.2.resnets.2.conv_shortcut"],
])("a module is renamed as a tensor is: %s", (ldm, diffusers) => {
  expect(diffusersNameOfLdmUnet(ldm, SDXL)).toBe(diffusers);
  expect(ldmNameOfDiffusersUnet(diffusers, SDXL)).toBe(ldm);
});

test("a layer may be counted otherwise from level to level", () => {
  const config = { ...SDXL, layers_per_block: [1, 2, 3] };
  expect(diffusersNameOfLdmUnet("input_blocks.6.0.in_layers.2", config))
    .toBe("down_blocks.2.resnets.0.conv1");
  expect(diffusersNameOfLdmUnet("output_blocks.4.1.norm", config)).toBe(
    "up_blocks.1.attentions.0.norm",
  );
});

test.each(["input_blocks.12.0.in_layers.0", "input_blocks", "double_blocks.0.img_mod.lin", ""])(
  "%s is no name of such a UNet",
  (name) => expect(diffusersNameOfLdmUnet(name, SDXL)).toBeUndefined(),
);
