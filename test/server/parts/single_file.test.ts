import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSingleFile } from "../../../core/checkpoint/mod.ts";
import type { Runtime } from "../../../core/inference/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openPartFolder } from "../../../server/parts/part_folder.ts";
import { readRecordedCalls } from "../../../server/parts/recorded_calls.ts";
import { largestDifference, openNetwork } from "../../../server/parts/run_part.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");

/** Names of the recorded calls and outputs. */
const CALLS: Readonly<Record<string, string>> = { text_encoder: "text", text_encoder_2: "text_2" };
const OUTPUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  text_encoder: { penultimate: "sdxl.default", pooled: "pooler_output" },
  text_encoder_2: { penultimate: "sdxl.default", pooled: "text_embeds" },
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await cpuRuntime();
});

test.each([
  ["sd1", "text_encoder"],
  ["sd1", "unet"],
  ["sd1", "vae"],
  ["sdxl", "text_encoder"],
  ["sdxl", "text_encoder_2"],
  ["sdxl", "unet"],
  ["sdxl", "vae"],
])("the single file of %s: its %s computes what diffusers computed", async (family, part) => {
  const folder = join(GOLDEN, `checkpoints/single-file-${family}`);
  const files = await openPartFolder(folder);
  const config = JSON.parse(
    Deno.readTextFileSync(join(GOLDEN, `pipelines/pipe-${family}/${part}/config.json`)),
  );
  const model = await openSingleFile(files, "model.safetensors", { configs: { [part]: config } });
  await using opened = await openNetwork(files, model.parts[part], runtime);
  const calls = await readRecordedCalls(join(folder, "io.safetensors"));
  const call = calls.find(({ name }) => name === (CALLS[part] ?? part));
  if (!call) throw new Error(`no call of ${part}`);
  const outputs = new Map(await opened.run(call.inputs));
  for (const [name, own] of Object.entries(OUTPUTS[part] ?? {})) {
    const output = outputs.get(own);
    if (output) outputs.set(name, output);
  }
  const { relative, output } = largestDifference(call, outputs);
  // The tolerance of case.json.
  expect(relative, output).toBeLessThanOrEqual(2e-5);
});

afterAll(() => runtime.gpu?.[Symbol.dispose]());
