import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Runtime, type Session, tensorFor } from "../../../core/inference/mod.ts";
import { openableGraph } from "../../../core/inference/openable_graph.ts";
import { type ModelFiles, parseModelJson, readLayout } from "../../../core/model/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { readRecordedCalls, type Recorded } from "../../../server/parts/recorded_calls.ts";

/** LoRAs of tiny pipelines, and what diffusers' networks compute with them merged by hand. */
const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");
const cases = readdirSync(join(GOLDEN, "adapters")).toSorted();

/** Outputs as they are recorded: by the part, and the output of its graph. */
const OUTPUTS: Readonly<Record<string, readonly [part: string, output: string]>> = {
  unet_sample: ["unet", "out_sample"],
  text_hidden: ["text_encoder", "last_hidden_state"],
  text_penultimate: ["text_encoder", "penultimate"],
  text2_penultimate: ["text_encoder_2", "penultimate"],
  text2_pooled: ["text_encoder_2", "text_embeds"],
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await cpuRuntime();
});

async function openPart(files: ModelFiles, part: string): Promise<Session> {
  const { networks } = await readLayout(files);
  const opened = await openableGraph(runtime, files, part, networks[part]);
  return await runtime.open(opened.files, opened.graph);
}

async function run(
  session: Session,
  part: string,
  inputs: ReadonlyMap<string, Recorded>,
  output: string,
) {
  const feeds = Object.fromEntries(session.inputs.map((spec) => {
    // Recorded without a mask: every token is seen.
    if (spec.name === "attention_mask") {
      return [spec.name, tensorFor(spec, new Float32Array(77).fill(1), [1, 77])];
    }
    const name = part === "text_encoder_2" ? "input_ids_2" : spec.name;
    const input = inputs.get(name);
    if (!input) throw new Error(`no ${name}`);
    const dims = input.dims.length === 0 ? [1] : input.dims;
    return [spec.name, tensorFor(spec, input.values, dims)];
  }));
  const states = session.outputs.filter(({ name }) => name.startsWith("hidden_states."));
  const fetched = output === "penultimate" ? `hidden_states.${states.length - 2}` : output;
  return (await session.run(feeds, [fetched]))[fetched].data as Float32Array;
}

test.each(cases)("%s changes the networks as diffusers does", async (name) => {
  const folder = join(GOLDEN, "adapters", name);
  // deno-lint-ignore no-explicit-any -- as it was recorded
  const { tolerance }: any = parseModelJson(readFileSync(join(folder, "case.json"), "utf8"));
  const model = join(GOLDEN, "pipelines", name.includes("sdxl") ? "pipe-sdxl" : "pipe-sd1");
  const calls = await readRecordedCalls(join(folder, "io.safetensors"));
  const base = calls.find((call) => call.name === "base");
  const wanted = name.endsWith("conv") ? "scale1" : "scale0.6";
  for (const call of calls.filter((each) => each.name === wanted)) {
    const scale = Number(call.inputs.get("scale")?.values[0].toFixed(6));
    const adapters = [`${join(folder, "lora.safetensors")}:${scale}`];
    const files = await openModel(model, { adapters });
    const sessions = new Map<string, Session>();
    for (const [recorded, expected] of call.outputs) {
      const [part, output] = OUTPUTS[recorded];
      const session = sessions.get(part) ?? await openPart(files, part);
      sessions.set(part, session);
      const actual = await run(session, part, base?.inputs ?? new Map(), output);
      const largest = expected.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = actual.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - expected.values[i])),
        0,
      );
      expect(off / largest, `${call.name} ${recorded}`).toBeLessThanOrEqual(tolerance.relative);
    }
    for (const session of sessions.values()) await session.release();
  }
});

test("a LoRA for another family is refused with how many of its modules have no place", async () => {
  const lora = join(GOLDEN, "adapters/lora-sd1-kohya/lora.safetensors");
  const opening = openModel(join(GOLDEN, "pipelines/pipe-sdxl"), { adapters: [lora] });
  await expect(opening).rejects.toMatchObject({
    code: "model_invalid",
    message: expect.stringMatching(
      /\d+ of its 124 modules are not in the model: lora_.*trained for sd_v1/,
    ),
  });
});

test("two of them add up, in any number", async () => {
  const lora = join(GOLDEN, "adapters/lora-sd1-peft/lora.safetensors");
  const model = join(GOLDEN, "pipelines/pipe-sd1");
  const weights = async (adapters: string[]) => {
    const session = await openPart(await openModel(model, { adapters }), "text_encoder");
    const ids = Float32Array.from([1012, 5, 6, ...Array(74).fill(1013)]);
    const inputs = new Map([["input_ids", { dims: [1, 77], values: ids }]]);
    return await run(session, "text_encoder", inputs, "last_hidden_state");
  };
  const [twice, once] = [
    await weights([`${lora}:0.25`, `${lora}:0.5`]),
    await weights([`${lora}:0.75`]),
  ];
  const off = twice.reduce((most, value, i) => Math.max(most, Math.abs(value - once[i])), 0);
  expect(off).toBeLessThan(1e-5);
  expect(once).not.toEqual(await weights([]));
});
