import { expect, test } from "vitest";
import { readLora } from "../../../core/adapter/lora_file.ts";
import { matchLora } from "../../../core/adapter/match_lora.ts";
import { encodeFloatSafetensors } from "../../../core/safetensors/mod.ts";
import { bytesFiles } from "../../fixtures/memory_files.ts";

/** A LoRA of zeros with these tensors. */
function lora(
  shapes: Readonly<Record<string, readonly number[]>>,
  notes: Record<string, string> = {},
) {
  const tensors = Object.entries(shapes).map(([name, dims]) => ({
    name,
    dims,
    values: new Float32Array(dims.reduce((product, side) => product * side, 1)).fill(3),
  }));
  return bytesFiles({ "l.safetensors": encodeFloatSafetensors(tensors, notes) });
}

const QUERY = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
const FLAT = QUERY.replaceAll(".", "_");

/** A UNet of one weight, which attends to as much as SD 2's. */
function partsOf(shape: readonly number[]) {
  const name = `${QUERY}.weight`;
  const weight = { name, dtype: "F32", shape, path: "", start: 0, end: 0 } as const;
  const config = {
    layers_per_block: 1,
    down_block_types: ["CrossAttnDownBlock2D"],
    up_block_types: ["CrossAttnUpBlock2D"],
    cross_attention_dim: 1024,
  };
  return { unet: { tensors: new Map([[name, weight]]), config } };
}

test.each([
  ["kohya", `lora_unet_${FLAT}.lora_down.weight`, `lora_unet_${FLAT}.lora_up.weight`],
  ["PEFT", `unet.${QUERY}.lora_A.weight`, `unet.${QUERY}.lora_B.weight`],
  [
    "raw PEFT",
    `base_model.model.${QUERY}.lora_A.default.weight`,
    `base_model.model.${QUERY}.lora_B.default.weight`,
  ],
  ["diffusers", `unet.${QUERY}.lora.down.weight`, `unet.${QUERY}.lora.up.weight`],
  [
    "diffusers' processors",
    `unet.${QUERY.replace(".to_q", "")}.processor.to_q_lora.down.weight`,
    `unet.${QUERY.replace(".to_q", "")}.processor.to_q_lora.up.weight`,
  ],
])("%s' names lead to the same weight", async (_, down, up) => {
  const file = await readLora(lora({ [down]: [4, 8], [up]: [8, 4] }), "l.safetensors");
  const { unet } = matchLora(file, partsOf([8, 8]), "l");
  expect(Object.keys(unet)).toEqual([`${QUERY}.weight`]);
  // No alpha: it is the rank.
  expect(unet[`${QUERY}.weight`].scale).toBe(1);
});

test("alpha_pattern is matched as peft does: regular expressions of a name's end, the first one", async () => {
  // Expected: get_pattern_key of peft 0.21.0, run with these keys on this name.
  const pair = { [`unet.${QUERY}.lora_A.weight`]: [4, 8], [`unet.${QUERY}.lora_B.weight`]: [8, 4] };
  const alpha = async (pattern: object) => {
    const notes = { "unet.lora_alpha": 8, "unet.alpha_pattern": pattern };
    const metadata = { lora_adapter_metadata: JSON.stringify(notes) };
    return 4 * (await readLora(lora(pair, metadata), "l.safetensors")).modules[0].scale;
  };
  expect(await alpha({ "to_q": 2 })).toBe(2);
  expect(await alpha({ "attn1.to_q": 3, "to_q": 2 })).toBe(3);
  expect(await alpha({ "o_q": 2, "attn1": 3, "to_q.": 5 })).toBe(8);
  expect(await alpha({ "attn[12]\\.to_(k|q)": 3 })).toBe(3);
  expect(await alpha({ "to_k|to_q": 3, [QUERY]: 1 })).toBe(3);
  expect(await alpha({ "down_blocks\\.\\d+\\..*to_q": 6 })).toBe(6);
  for (const refused of ["(a+)+", "to_q(", ".*".repeat(3), "x".repeat(301)]) {
    await expect(alpha({ [refused]: 1 })).rejects.toThrow(/Cannot use the LoRA .*alpha_pattern/);
  }
});

test("alpha comes from the file, or from PEFT's notes, by module and by part; rsLoRA divides by its root", async () => {
  const pair = { [`unet.${QUERY}.lora_A.weight`]: [4, 8], [`unet.${QUERY}.lora_B.weight`]: [8, 4] };
  const scale = async (shapes: Record<string, readonly number[]>, notes: object) => {
    const metadata = { lora_adapter_metadata: JSON.stringify(notes) };
    return (await readLora(lora(shapes, metadata), "l.safetensors")).modules[0].scale;
  };
  expect(await scale(pair, { "unet.lora_alpha": 8 })).toBe(2);
  expect(await scale(pair, { "unet.lora_alpha": 8, "unet.alpha_pattern": { [QUERY]: 2 } })).toBe(
    0.5,
  );
  expect(await scale(pair, { "unet.lora_alpha": 8, "unet.use_rslora": true })).toBe(4);
  const kohya = {
    [`lora_unet_${FLAT}.lora_down.weight`]: [4, 8],
    [`lora_unet_${FLAT}.lora_up.weight`]: [8, 4],
    [`lora_unet_${FLAT}.alpha`]: [],
  };
  expect(await scale(kohya, {})).toBe(0.75);
});

test.each([
  ["DoRA", { [`lora_unet_${FLAT}.dora_scale`]: [8, 1] }, "are of DoRA, which is not built"],
  ["LoHa", { [`lora_unet_${FLAT}.hada_w1_a`]: [8, 4] }, "are of LoHa, which is not built"],
  ["LoKr", { [`lora_unet_${FLAT}.lokr_w1`]: [2, 2] }, "are of LoKr, which is not built"],
  ["OFT", { [`lora_unet_${FLAT}.oft_blocks`]: [2, 2, 2] }, "are of OFT, which is not built"],
  ["(IA)3", { [`lora_unet_${FLAT}.on_input`]: [] }, "are of (IA)3, which is not built"],
  ["full differences", { [`lora_unet_${FLAT}.diff`]: [8, 8] }, "are of full differences"],
  ["another file", { "model.weight": [8, 8] }, "are of no kind that is known: model.weight"],
  ["a third text encoder", {
    "lora_te3_layer.lora_down.weight": [4, 8],
    "lora_te3_layer.lora_up.weight": [8, 4],
  }, "lora_te3_layer belongs to no network that is built"],
  ["one tensor twice", {
    [`unet.${QUERY}.lora_A.weight`]: [4, 8],
    [`unet.${QUERY}.lora.down.weight`]: [4, 8],
    [`unet.${QUERY}.lora_B.weight`]: [8, 4],
  }, `${QUERY}.lora.down.weight are two spellings of one tensor`],
  ["half a LoRA", { [`lora_unet_${FLAT}.lora_up.weight`]: [8, 4] }, "has no down"],
])("%s is refused by name", async (_, shapes, words) => {
  await expect(readLora(lora(shapes), "l.safetensors")).rejects.toMatchObject({
    code: "model_invalid",
    message: expect.stringContaining(words),
  });
});

test("a pickle is refused for what it is", async () => {
  const files = bytesFiles({ "l.pt": Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0) });
  await expect(readLora(files, "l.pt")).rejects.toMatchObject({
    message: expect.stringContaining("pickle"),
  });
});

test("two names of one weight are refused", async () => {
  const [dotted, flat] = [`unet.${QUERY}`, `lora_unet_${FLAT}`];
  const file = lora({
    [`${dotted}.lora_A.weight`]: [4, 8],
    [`${dotted}.lora_B.weight`]: [8, 4],
    [`${flat}.lora_down.weight`]: [4, 8],
    [`${flat}.lora_up.weight`]: [8, 4],
  });
  const read = await readLora(file, "l.safetensors");
  expect(() => matchLora(read, partsOf([8, 8]), "l")).toThrow(
    /two names of one weight, unet\/down_blocks/,
  );
});

const PAIR = { [`unet.${QUERY}.lora_A.weight`]: [4, 8], [`unet.${QUERY}.lora_B.weight`]: [8, 4] };

test.each([
  // As kohya's scripts and the model specification write them.
  [{ ss_base_model_version: "sd_v1" }, true],
  [{ "modelspec.architecture": "stable-diffusion-v1/lora" }, true],
  [{ ss_base_model_version: "sdxl_base_v1-0" }, true],
  [{ ss_base_model_version: "sd_v2_v" }, false],
  [{ "modelspec.architecture": "stable-diffusion-v2-768-v/lora" }, false],
  [{ ss_base_model_version: "a model of mine" }, false],
  [{}, false],
])("a LoRA that fits SD 2 by its shapes and says %j", async (notes, refused) => {
  const read = await readLora(lora(PAIR, { ...notes }), "l.safetensors");
  const match = () => matchLora(read, partsOf([8, 8]), "l");
  if (refused) expect(match).toThrow(/trained for s.*, and the model is of the SD 2 family/);
  else expect(Object.keys(match().unet)).toHaveLength(1);
});

test("a change of a convolution is none of a linear layer, and one of a linear layer is of 1x1", async () => {
  const convolved = await readLora(
    lora({
      [`unet.${QUERY}.lora_A.weight`]: [4, 8, 1, 1],
      [`unet.${QUERY}.lora_B.weight`]: [8, 4, 1, 1],
    }),
    "l.safetensors",
  );
  expect(() => matchLora(convolved, partsOf([8, 8]), "l")).toThrow(/of another shape/);
  const linear = await readLora(lora(PAIR), "l.safetensors");
  expect(Object.keys(matchLora(linear, partsOf([8, 8, 1, 1]), "l").unet)).toHaveLength(1);
});
