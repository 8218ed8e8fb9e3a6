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
  const weight = {
    name: `${QUERY}.weight`,
    dtype: "F32",
    shape: [8, 8],
    path: "",
    start: 0,
    end: 0,
  } as const;
  const config = {
    layers_per_block: 1,
    down_block_types: ["CrossAttnDownBlock2D"],
    up_block_types: ["CrossAttnUpBlock2D"],
  };
  const parts = { unet: { tensors: new Map([[weight.name, weight]]), config } };
  const { unet } = matchLora(file, parts, "l");
  expect(Object.keys(unet)).toEqual([weight.name]);
  // No alpha: it is the rank.
  expect(unet[weight.name].scale).toBe(1);
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
