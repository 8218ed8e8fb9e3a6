/**
 * Writes a model of full size with random weights in float16, where real weights cannot be fetched: its
 * images are noise, its time and memory are real.
 *
 *     deno run -A test/full_size/main.ts sd15|sd15-quarter|sdxl <folder>
 */
import { mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expectedTensors } from "../../core/architecture/mod.ts";
import { toHalf } from "../../core/half.ts";
import { gaussianNoise } from "../../core/noise/mod.ts";
import { clipVocabulary } from "../../models/clip/mod.ts";
import { FULL_SIZE } from "./configs.ts";

const CLIP_MERGES = join(import.meta.dirname ?? ".", "../../models/clip/merges.txt");
/** Small enough for the widest layers to leave activations near 1. */
const DEVIATION = 0.02;
/** Elements of noise, which are used again and again: a weight's first is never at the same place. */
const NOISE = 2 ** 20 + 7;

if (import.meta.main) {
  const [name, folder] = Deno.args;
  if (!folder || !(name in FULL_SIZE)) {
    console.error(`usage: main.ts ${Object.keys(FULL_SIZE).join("|")} <folder>`);
    Deno.exit(2);
  }
  await writeFullSize(name, folder);
}

/** Nothing is written again where the folder is whole: its index comes last. */
async function writeFullSize(name: string, folder: string): Promise<void> {
  const index = join(folder, "model_index.json");
  if (await stat(index).catch(() => undefined)) return;
  const { className, networks, tokenizers, scheduler } = FULL_SIZE[name];
  for (const [part, config] of Object.entries(networks)) {
    await writeJson(join(folder, part, "config.json"), config);
    const file = part.startsWith("text_encoder") ? "model" : "diffusion_pytorch_model";
    await writeWeights(join(folder, part, `${file}.safetensors`), config);
  }
  await writeJson(join(folder, "scheduler/scheduler_config.json"), scheduler);
  const merges = await readFile(CLIP_MERGES, "utf8");
  for (const tokenizer of tokenizers) {
    await writeJson(join(folder, tokenizer, "vocab.json"), clipVocabulary(merges));
    await writeFile(join(folder, tokenizer, "merges.txt"), merges);
    const pad_token = tokenizer === "tokenizer" ? "<|endoftext|>" : "!";
    await writeJson(join(folder, tokenizer, "special_tokens_map.json"), { pad_token });
  }
  const parts = [...Object.keys(networks), ...tokenizers, "scheduler"];
  const entries = parts.map((part) => [part, ["diffusers", part]]);
  await writeJson(index, { _class_name: className, ...Object.fromEntries(entries) });
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, JSON.stringify(value, null, 2));
}

async function writeWeights(path: string, config: unknown): Promise<void> {
  const noise = toHalf(gaussianNoise(1n, 0, NOISE).map((value) => DEVIATION * value));
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { name, shape } of expectedTensors(config).values()) {
    const start = end;
    end += 2 * shape.reduce((product, side) => product * side, 1);
    header[name] = { dtype: "F16", shape, data_offsets: [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
  await using file = await open(path, "w");
  await file.write(length, 0, 8, 0);
  await file.write(json, 0, json.length, 8);
  const data = 8 + json.length;
  // What is not written is a hole of zeros: biases.
  await file.truncate(data + end);
  let at = data;
  for (const { name, shape } of expectedTensors(config).values()) {
    const elements = shape.reduce((product, side) => product * side, 1);
    if (!name.endsWith(".bias")) await writeValues(file, at, elements, shape.length, noise);
    at += 2 * elements;
  }
}

/** Norms scale by 1, all else is noise. */
async function writeValues(
  file: Awaited<ReturnType<typeof open>>,
  at: number,
  elements: number,
  rank: number,
  noise: Uint16Array,
): Promise<void> {
  const values = rank === 1 ? toHalf(new Float32Array(elements).fill(1)) : noise;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < 2 * elements;) {
    const count = Math.min(bytes.length, 2 * elements - done);
    await file.write(bytes, 0, count, at + done);
    done += count;
  }
}
