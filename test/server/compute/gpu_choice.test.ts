import { describe, expect, test } from "vitest";
import { openCompute } from "../../../server/compute/mod.ts";
import { chosenAdapter } from "../../../server/compute/gpu_choice.ts";
import { rejection } from "../../fixtures/rejection.ts";

/** A machine with a fast, a small and a software adapter, or with some of them. */
function machine(...descriptions: readonly string[]) {
  const adapters = descriptions.map((description) => ({ info: { description } }) as GPUAdapter);
  const requestAdapter = (wish: GPURequestAdapterOptions = {}) => {
    const k = wish.forceFallbackAdapter ? 2 : wish.powerPreference === "low-power" ? 1 : 0;
    return Promise.resolve(adapters[k] ?? adapters[0] ?? null);
  };
  return { requestAdapter };
}

const three = machine("NVIDIA H100", "Intel UHD 770", "llvmpipe");

describe("chosenAdapter", () => {
  test.each([
    ["nvidia", "NVIDIA H100"],
    ["UHD", "Intel UHD 770"],
    ["0", "NVIDIA H100"],
    ["2", "llvmpipe"],
  ])("finds %s", async (choice, description) => {
    expect((await chosenAdapter(choice, three)).info.description).toBe(description);
  });

  test.each(["3", "H200", "-1"])("refuses %s, and lists what there is", async (choice) => {
    expect(await rejection(chosenAdapter(choice, three))).toMatchObject({
      code: "host_unavailable",
      field: "gpu",
      message: expect.stringContaining(
        `Cannot compute on the GPU ${choice}: the adapters here are ` +
          "0 NVIDIA H100, 1 Intel UHD 770, 2 llvmpipe.",
      ),
    });
  });

  test("lists one adapter once, for whatever it is asked for", async () => {
    const error = await rejection(chosenAdapter("1", machine("NVIDIA H100")));
    expect(error.message).toContain("the adapters here are 0 NVIDIA H100.");
  });

  test("says that there is none", async () => {
    expect((await rejection(chosenAdapter("0", undefined))).message)
      .toContain("there is no WebGPU adapter here");
  });
});

describe("--gpu is never ignored", () => {
  test.each(
    [
      ["cpu", "invalid_request", /--compute cpu uses none/],
      ["chrome", "invalid_request", /Chrome takes the fastest that its driver shows/],
      ["native", "host_unavailable", /Cannot compute on the GPU nosuch: /],
      ["auto", "host_unavailable", /Cannot compute on the GPU nosuch: /],
    ] as const,
  )("with --compute %s", async (kind, code, words) => {
    const error = await rejection(openCompute(kind, { gpu: "nosuch" }));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(words);
  });
});
