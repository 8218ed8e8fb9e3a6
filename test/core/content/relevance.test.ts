import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RelevanceEncoder } from "../../../core/content/mod.ts";
import type { RgbaImage } from "../../../core/image/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { FolderFiles } from "../../../server/models/mod.ts";
import { samplePictures } from "../../fixtures/sample_pictures.ts";

const FOLDER = join(import.meta.dirname ?? ".", "../../../models/relevance");
/** The first 20 of tau-tiny's contact sheet, by the words below them. */
const PROMPTS = [
  "a golden tau symbol in a night sky with stars",
  "a red tau symbol on a blue background",
  "a glowing neon green tau symbol on a circuit board",
  "a white tau symbol over ocean waves",
  "a stone tau symbol in front of mountains",
  "a purple outlined tau symbol on a yellow background",
  "a silver tau symbol against a sunset",
  "a black tau symbol on a pink background",
  "a bronze tau symbol in flames",
  "a cyan tau symbol on a black and white checkerboard",
  "an orange tau symbol, blue sky with clouds, 4k",
  "a yellow tau symbol in a forest",
  "a blue tau symbol inside a yellow circle on a black background",
  "a pink tau symbol inside a green ring in a forest",
  "a green tau symbol next to a red circle on a white background",
  "a golden tau symbol and a blue star against a sunset",
  "a red ring in a starry sky",
  "a yellow star on a purple background",
  "a neon pink star in outer space",
  "a silver ring on a circuit board",
];

let encoder: RelevanceEncoder;
let pictures: readonly RgbaImage[];
beforeAll(async () => {
  const files = await FolderFiles.open({ name: "relevance", location: FOLDER });
  encoder = await RelevanceEncoder.open(files, await cpuRuntime());
  pictures = await samplePictures();
});
afterAll(() => encoder[Symbol.asyncDispose]());

// No render: these the model painted, which the networks never saw.
test("of generated pictures their own prompts score far above the next one's", async () => {
  let [own, others] = [0, 0];
  for (const [k, prompt] of PROMPTS.entries()) {
    const mine = await encoder.score(pictures[k], prompt);
    const other = await encoder.score(pictures[k], PROMPTS[(k + 1) % PROMPTS.length]);
    expect(mine.value, prompt).toBeGreaterThan(other.value);
    own += mine.value / PROMPTS.length;
    others += other.value / PROMPTS.length;
  }
  expect(own).toBeGreaterThan(0.6);
  expect(others).toBeLessThan(0.1);
});

test("one thing wrong lowers it", async () => {
  const right = await encoder.score(pictures[1], PROMPTS[1]);
  for (
    const wrong of [
      "a green tau symbol on a blue background",
      "a red tau symbol on a yellow background",
      "a red star on a blue background",
    ]
  ) {
    expect((await encoder.score(pictures[1], wrong)).value, wrong).toBeLessThan(right.value);
  }
});

test("it is the same each time, in [0, 1], with its uncertainty", async () => {
  const first = await encoder.score(pictures[8], PROMPTS[8]);
  expect(await encoder.score(pictures[8], PROMPTS[8])).toEqual(first);
  expect(first.value).toBeLessThanOrEqual(1);
  expect(first.uncertainty).toBeGreaterThanOrEqual(0);
  expect(first.uncertainty).toBeLessThan(0.5);
});
