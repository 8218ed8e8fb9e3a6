import { expect, test } from "vitest";
import { withLoraTags } from "../../../server/generate/lora_tags.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const flags = {
  ...{ keywords: true, json: false, force: false, out: "a.png", model: "embedded" },
  ...{ compute: "cpu", weighting: "a1111", lora: ["given.safetensors:0.5"] },
};

test("withLoraTags asks for a prompt's LoRAs as --lora does, after those that were given", () => {
  const own = { ...flags, loraFolder: "loras", prompt2: "a <lora:two> bird" };
  expect(withLoraTags("a <lora:neon:0.8>sea", own)).toEqual({
    prompt: "a sea",
    flags: {
      ...own,
      prompt2: "a  bird",
      lora: ["given.safetensors:0.5", "loras/neon.safetensors:0.8", "loras/two.safetensors:1"],
    },
  });
  expect(withLoraTags("<lora:neon>", flags).flags.lora?.at(-1)).toBe("neon.safetensors:1");
});

test.each(["none", "compel", undefined])(
  "withLoraTags leaves a prompt alone in %s",
  (weighting) => {
    const own = { ...flags, weighting };
    expect(withLoraTags("<lora:neon:0.8>", own)).toEqual({ prompt: "<lora:neon:0.8>", flags: own });
  },
);

test("withLoraTags refuses two scales in one tag", () => {
  expect(thrownBy(() => withLoraTags("a <lora:neon:0.5:0.8> sea", flags))).toMatchObject({
    ...{ code: "invalid_request", field: "prompt" },
    message: expect.stringMatching(/text encoder by 0.5 and the UNet by 0.8/),
  });
});
