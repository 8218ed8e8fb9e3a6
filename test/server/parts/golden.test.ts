import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../../core/inference/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { readRecordedCalls, type RecordedCall } from "../../../server/parts/recorded_calls.ts";
import { largestDifference, openPart } from "../../../server/parts/run_part.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden/architectures");
const cases = readdirSync(GOLDEN).toSorted();

let runtime: Runtime;
beforeAll(async () => {
  runtime = await cpuRuntime();
});
const differences: string[] = [];
afterAll(() => console.log(differences.join("\n")));

test.each(cases)("%s computes what diffusers and transformers computed", async (name) => {
  const { tolerance, calls } = JSON.parse(Deno.readTextFileSync(join(GOLDEN, name, "case.json")));
  await using part = await openPart(join(GOLDEN, name), runtime);
  const recorded = await readRecordedCalls(join(GOLDEN, name, "io.safetensors"));
  expect(recorded.map((call) => call.name).toSorted()).toEqual(Object.keys(calls).toSorted());
  for (const call of recorded.map((each) => controlled(each, calls[each.name].guess_mode))) {
    const { relative, output } = largestDifference(call, await part.run(call.inputs));
    differences.push(`${name} ${call.name}: ${relative.toExponential(1)}, in ${output}`);
    expect(relative, `${call.name} ${output}`).toBeLessThanOrEqual(tolerance.relative);
  }
});

test.each([
  "clip-g-with-projection",
  "clip-vision-with-projection",
  "controlnet-sdxl",
  "flux-schnell",
  "sd35-medium-dual",
  "unet-tiny-sd-no-mid",
  "vae-sd",
])("%s computes in float16 what float32 computes, to float16's digits", async (name) => {
  await using part = await openPart(join(GOLDEN, name), runtime, "float16");
  const [first] = await readRecordedCalls(join(GOLDEN, name, "io.safetensors"));
  const call = controlled(first, false);
  // 2^-11 a rounding; the VAE's logvar is off by 3.3e-3, all else by less than 2e-3.
  expect(largestDifference(call, await part.run(call.inputs)).relative).toBeLessThan(5e-3);
});

/** A ControlNet's call, without what the UNet makes of it, and with guess mode's falling scales. */
function controlled(call: RecordedCall, guess: boolean | undefined): RecordedCall {
  const outputs = new Map([...call.outputs].filter(([name]) => !name.startsWith("unet_")));
  const scale = call.inputs.get("conditioning_scale");
  if (!guess || !scale) return { ...call, outputs };
  const last = outputs.size - 1;
  const values = Float32Array.from(
    { length: outputs.size },
    (_, i) => scale.values[0] * 10 ** (i / last - 1),
  );
  const scales = { dims: [values.length], values };
  return { ...call, outputs, inputs: new Map([...call.inputs, ["conditioning_scale", scales]]) };
}
