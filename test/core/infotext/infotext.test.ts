import { describe, expect, test } from "vitest";
import {
  infotextOf,
  readInfotext,
  samplerChoice,
  samplerOf,
  SAMPLERS,
  schedulerOf,
  SCHEDULES,
  writeInfotext,
} from "../../../core/infotext/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { planFor } from "../../../core/request/mod.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

describe("the text", () => {
  test("is AUTOMATIC1111's: prompt, what is not wanted, and values quoted where they must be", () => {
    expect(writeInfotext({
      prompt: "a hill,\na tree",
      negativePrompt: "fog",
      parameters: { Steps: 20, "Lora hashes": "a: 1234", Seed: 5, Model: undefined },
    })).toBe('a hill,\na tree\nNegative prompt: fog\nSteps: 20, Lora hashes: "a: 1234", Seed: 5');
    expect(writeInfotext({ prompt: "", negativePrompt: "", parameters: { Steps: 1 } }))
      .toBe("Steps: 1");
  });

  test("is read as it was written", () => {
    const parameters = { Steps: "20", Sampler: "DPM++ 2M", Note: 'a "b": c,\nd' };
    const text = { prompt: "one: two, three\nfour", negativePrompt: "five\nsix", parameters };
    expect(readInfotext(writeInfotext(text))).toEqual(text);
  });

  test("of other programs is read as AUTOMATIC1111 reads it", () => {
    expect(readInfotext(
      "cat\nNegative prompt: dog\nSteps: 4, Size: 512x768, Model hash: ab12, Version: v1.10.1",
    )).toEqual({
      prompt: "cat",
      negativePrompt: "dog",
      parameters: {
        ...{ Steps: "4", "Size-1": "512", "Size-2": "768", "Model hash": "ab12" },
        Version: "v1.10.1",
      },
    });
    // Two are no line of parameters.
    expect(readInfotext("a photo: good, light: soft"))
      .toEqual({ prompt: "a photo: good, light: soft", negativePrompt: "", parameters: {} });
    expect(readInfotext("")).toEqual({ prompt: "", negativePrompt: "", parameters: {} });
  });

  test("of a receipt names what made the image, and the receipt", async () => {
    const receipt = await inventedReceipt(openHotkey("11".repeat(32)), SMALL_REQUEST, {});
    const { parameters, prompt } = readInfotext(infotextOf(receipt, "Stepwise 1", "https://a.b/c"));
    expect(prompt).toBe(receipt.request.prompt);
    expect(parameters).toMatchObject({
      Steps: String(receipt.steps),
      Seed: receipt.request.seed,
      Model: receipt.model.id,
      Version: "Stepwise 1",
      "Stepwise receipt": receiptId(receipt),
      "Stepwise address": "https://a.b/c",
    });
  });
});

describe("samplers", () => {
  test.each([
    ["DPM++ 2M Karras", undefined, "DPM++ 2M", "Karras", "dpmpp_2m_karras"],
    ["DPM++ 2M", undefined, "DPM++ 2M", "Karras", "dpmpp_2m_karras"],
    ["DPM++ 2M", "Uniform", "DPM++ 2M", "Uniform", "dpmpp_2m"],
    ["dpm++ 2m sde karras", "Automatic", "DPM++ 2M SDE", "Karras", "dpmpp_2m_sde_karras"],
    ["k_euler_a", undefined, "Euler a", undefined, "euler_a"],
    ["Euler a", "karras", "Euler a", undefined, "euler_a"],
    ["Euler", undefined, "Euler", "Uniform", "euler"],
    ["DDIM", "", "DDIM", undefined, "ddim"],
    ["Heun", "normal", "Heun", "Uniform", "heun"],
  ])("%s, %s", (name, schedule, sampler, label, scheduler) => {
    const choice = samplerChoice(name, schedule);
    expect(choice).toEqual({ sampler, schedule: label });
    expect(schedulerOf(choice)).toBe(scheduler);
  });

  test("a spacing that has no name of ours is diffusers' settings", () => {
    expect(schedulerOf(samplerChoice("Euler SGM Uniform"))).toEqual({
      _class_name: "EulerDiscreteScheduler",
      ...{ use_karras_sigmas: false, use_exponential_sigmas: false, use_beta_sigmas: false },
      timestep_spacing: "trailing",
    });
  });

  test("every sampler with every schedule has a plan, and its name again", () => {
    const own = { _class_name: "PNDMScheduler", skip_prk_steps: true, num_train_timesteps: 1000 };
    for (const { name } of SAMPLERS) {
      for (const { label } of SCHEDULES.filter((each) => each.label !== "Simple")) {
        const choice = samplerChoice(name, label);
        const scheduler = schedulerOf(choice);
        const request = { scheduler, steps: 8, width: 64, height: 64 };
        expect(() => planFor(own, request), `${name} ${label}`).not.toThrow();
        expect(samplerOf(scheduler), `${name} ${label}`).toEqual(choice);
      }
    }
  });

  test("what is not there is said in AUTOMATIC1111's words", () => {
    expect(thrownBy(() => samplerChoice("DPM adaptive"))).toMatchObject({
      message: "Cannot generate: Sampler not found: DPM adaptive",
    });
    expect(thrownBy(() => samplerChoice("Euler", "Turbo"))).toMatchObject({
      message: "Cannot generate: Scheduler not found: Turbo",
    });
  });

  test("the subnet's own names are found", () => {
    expect(samplerOf("sde-dpmsolver++")).toEqual({ sampler: "DPM++ 2M SDE", schedule: "Karras" });
    expect(samplerOf(undefined)).toBeUndefined();
  });
});
