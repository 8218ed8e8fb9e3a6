import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Runtime, type Session, tensorFor } from "../../../core/inference/mod.ts";
import { ADAPTER_SCALES } from "../../../core/architecture/mod.ts";
import { Pipeline } from "../../../core/generation/mod.ts";
import { canBatchWith, decodeRequest } from "../../../core/request/mod.ts";
import { openableGraph } from "../../../core/inference/openable_graph.ts";
import { type ModelFiles, parseModelJson, readLayout } from "../../../core/model/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";
import { readRecordedCalls, type Recorded } from "../../../server/parts/recorded_calls.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

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
  scales: readonly number[],
) {
  const feeds = Object.fromEntries(session.inputs.map((spec) => {
    if (spec.name === ADAPTER_SCALES) {
      return [spec.name, tensorFor(spec, Float32Array.from(scales), [scales.length])];
    }
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
    const files = await openModel(model, { adapters: [join(folder, "lora.safetensors")] });
    const sessions = new Map<string, Session>();
    for (const [recorded, expected] of call.outputs) {
      const [part, output] = OUTPUTS[recorded];
      const session = sessions.get(part) ?? await openPart(files, part);
      sessions.set(part, session);
      const actual = await run(session, part, base?.inputs ?? new Map(), output, [scale]);
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
  const copy = join(await temporaryFolder(), "copy.safetensors");
  // Another file with the same tensors: one more byte of its header's padding.
  writeFileSync(copy, padded(readFileSync(lora)));
  const weights = async (adapters: string[], scales: number[]) => {
    const session = await openPart(await openModel(model, { adapters }), "text_encoder");
    const ids = Float32Array.from([1012, 5, 6, ...Array(74).fill(1013)]);
    const inputs = new Map([["input_ids", { dims: [1, 77], values: ids }]]);
    return await run(session, "text_encoder", inputs, "last_hidden_state", scales);
  };
  const [twice, once] = [
    await weights([lora, copy], [0.25, 0.5]),
    await weights([lora], [0.75]),
  ];
  const off = twice.reduce((most, value, i) => Math.max(most, Math.abs(value - once[i])), 0);
  expect(off).toBeLessThan(1e-5);
  expect(once).not.toEqual(await weights([], []));
});

/** A safetensors file with eight more spaces at its header's end. */
function padded(file: Uint8Array): Uint8Array {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const more = new Uint8Array(file.length + 8).fill(0x20);
  more.set(file.subarray(0, 8 + length));
  more.set(file.subarray(8 + length), 16 + length);
  new DataView(more.buffer).setBigUint64(0, BigInt(length + 8), true);
  return more;
}

test("the same file under two names is refused: a request could not tell them apart", async () => {
  const lora = join(GOLDEN, "adapters/lora-sd1-peft/lora.safetensors");
  const copy = join(await temporaryFolder(), "copy.safetensors");
  writeFileSync(copy, readFileSync(lora));
  const model = join(GOLDEN, "pipelines/pipe-sd1");
  await expect(openModel(model, { adapters: [lora, copy] })).rejects.toMatchObject({
    ...{ code: "model_invalid", message: expect.stringMatching(/copy.safetensors.*given before/) },
  });
});

test("a request's scales change a loaded model, and 0 leaves it as it was", async () => {
  const lora = join(GOLDEN, "adapters/lora-sd1-peft/lora.safetensors");
  const model = join(GOLDEN, "pipelines/pipe-sd1");
  const files = await openModel(model, { adapters: [lora] });
  const [{ sha256 }] = files.adapters ?? [];
  let opened = 0;
  const counting = {
    ...runtime,
    open: (...of: Parameters<Runtime["open"]>) => (opened++, runtime.open(...of)),
  };
  await using engine = await Pipeline.open(files, counting);
  await using base = await Pipeline.open(await openModel(model), runtime);
  const last = async (of: Pipeline, adapters: readonly unknown[]) => {
    const fields = { prompt: "tau", width: 64, height: 64, steps: 2, seed: 1, adapters };
    const request = decodeRequest(fields, { ...of.defaults, seed: 0n });
    const leaves: number[][] = [];
    await of.generate(request, { onLeaf: ({ bits }) => leaves.push([...bits]) });
    return leaves.at(-1);
  };
  const sessions = opened;
  const plain = await last(base, []);
  expect(await last(engine, [])).toEqual(plain);
  const strong = await last(engine, [{ sha256, scale: 0.9 }]);
  const weak = await last(engine, [{ sha256, scale: 0.3 }]);
  expect(new Set([plain, strong, weak].map(String)).size).toBe(3);
  expect(await last(engine, [{ sha256, scale: 0.9 }])).toEqual(strong);
  // Twice in a request: the scales add up.
  const halves = [{ sha256, scale: 0.5 }, { sha256, scale: 0.4 }];
  expect(await last(engine, halves)).toEqual(strong);
  expect(opened).toBe(sessions);
  await expect(last(base, halves)).rejects.toMatchObject({
    ...{ code: "unsupported_setting", field: "adapters" },
  });
});

test("requests with other scales are not run as one batch", () => {
  const defaults = { width: 64, height: 64, steps: 2, guidanceScale: 1, seed: 0n };
  const at = (scale: number) =>
    decodeRequest({ prompt: "tau", adapters: [{ sha256: "0f".repeat(32), scale }] }, defaults);
  expect(canBatchWith(at(0.5), at(0.5))).toBe(true);
  expect(canBatchWith(at(0.5), at(0.6))).toBe(false);
});
