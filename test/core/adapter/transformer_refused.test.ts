import { expect, test } from "vitest";
import { openModel } from "../../../server/models/mod.ts";
import { golden } from "../../fixtures/golden_models.ts";

const LORA = golden("adapters/lora-sd1-kohya/lora.safetensors");

test.each(["pipe-sd3", "pipe-flux-dev"])("a LoRA with %s is refused by name", async (name) => {
  await expect(openModel(golden(`pipelines/${name}`), { adapters: [LORA] })).rejects.toMatchObject({
    code: "unsupported_setting",
    message: expect.stringContaining("LoRAs of transformers are not built"),
  });
});
