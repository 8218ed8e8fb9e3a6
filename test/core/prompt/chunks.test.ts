import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModel, type Model } from "../../../core/inference/mod.ts";
import { chunksOf } from "../../../core/prompt/chunks.ts";
import { PromptConditioner } from "../../../core/prompt/mod.ts";
import type { PromptTokenizer } from "../../../core/prompt/tokenizer.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";

const [START, END, PAD, COMMA] = [1000, 1001, 1002, 7];

/** A word is its number; a comma is one. */
const nothing = () => ({ count: 0, ids: [], cut: "" });
const words: PromptTokenizer = Object.assign(nothing, {
  fit: nothing,
  tokens: (text: string) =>
    (text.match(/\d+|,/g) ?? []).map((word) => word === "," ? COMMA : Number(word)),
  ...{ start: START, end: END, pad: PAD, comma: COMMA, notices: [] },
});
const numbers = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => first + i);
const text = (ids: readonly number[], weight = 1) => ({
  text: ids.map((id) => id === COMMA ? "," : String(id)).join(" "),
  weight,
});

describe("a prompt in chunks", () => {
  test("has 77 tokens in each: start, 75 of its own, end; the last is filled up", () => {
    const [first, second, ...more] = chunksOf([[text(numbers(100, 80))]], words);
    expect(first.ids).toEqual([START, ...numbers(100, 75), END]);
    expect(second.ids).toEqual([START, ...numbers(175, 5), END, ...Array(70).fill(PAD)]);
    expect(more).toEqual([]);
  });

  test("weighs each token, and neither start, end nor padding", () => {
    const [{ weights }] = chunksOf([[text([100, 101], 1.3), text([102], 0.5)]], words);
    expect(weights).toEqual([1, 1.3, 1.3, 0.5, ...Array(73).fill(1)]);
  });

  test("takes what follows a comma among the last 20 tokens into the next chunk", () => {
    const ids = [...numbers(100, 60), COMMA, ...numbers(200, 20)];
    const [first, second] = chunksOf([[text(ids)]], words);
    expect(first.ids.slice(1, 63)).toEqual([...numbers(100, 60), COMMA, END]);
    expect(second.ids.slice(1, 21)).toEqual(numbers(200, 20));
    const far = [...numbers(100, 50), COMMA, ...numbers(200, 30)];
    expect(chunksOf([[text(far)]], words)[0].ids[75]).toBe(223);
  });

  test("has a chunk of its own for each BREAK, 20 at most", () => {
    expect(() => chunksOf(Array(21).fill([text([100])]), words)).toThrow(
      "the prompt has 21 chunks of 75 tokens, not at most 20",
    );
  });

  test("begins another where a section does; without words it is one", () => {
    expect(chunksOf([[text([100])], [text([101])]], words).map(({ ids }) => ids[1])).toEqual([
      100,
      101,
    ]);
    expect(chunksOf([[]], words)).toHaveLength(1);
  });
});

describe("weights in a model", () => {
  let model: Model;
  let conditioner: PromptConditioner;
  beforeAll(async () => {
    const folder = join(import.meta.dirname ?? ".", "../../golden/pipelines/pipe-sd1");
    model = await loadModel(await openModel(folder), await cpuRuntime());
    conditioner = await PromptConditioner.load(model);
  });

  const conditioned = async (fields: object) => {
    const defaults = { width: 64, height: 64, steps: 2, guidanceScale: 5, seed: 1n };
    return await conditioner.condition(
      decodeRequest({ prompt: "a red bird", ...fields }, defaults),
    );
  };
  const mean = (values: Float32Array) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;

  test("none is what no weights are, in each way of writing", async () => {
    const plain = (await conditioned({})).positive.hidden;
    for (const weighting of ["a1111", "compel"]) {
      expect((await conditioned({ weighting })).positive.hidden).toEqual(plain);
    }
  });

  test("a1111 multiplies the states of a token and keeps the mean of all", async () => {
    const [plain, loud] = await Promise.all(
      [{}, { prompt: "a red bird", weighting: "a1111" }].map(conditioned),
    );
    expect(loud.positive.hidden).toEqual(plain.positive.hidden);
    const weighted =
      (await conditioned({ prompt: "(a red bird:1.5)", weighting: "a1111" })).positive;
    const before = plain.positive.hidden;
    expect(mean(weighted.hidden)).toBeCloseTo(mean(before), 4);
    const width = before.length / 77;
    // The start counts 1 and each word 1.5: so they are to each other.
    const factor = (token: number) => weighted.hidden[token * width] / before[token * width];
    expect(factor(1) / factor(0)).toBeCloseTo(1.5, 4);
  });

  test("compel goes on from the states of no words", async () => {
    const [none, plain, loud] = [
      (await conditioned({ prompt: "" })).positive.hidden,
      (await conditioned({})).positive.hidden,
      (await conditioned({ prompt: "(a red bird)1.5", weighting: "compel" })).positive.hidden,
    ];
    const at = 2 * plain.length / 77 + 3;
    expect(loud[at]).toBeCloseTo(none[at] + 1.5 * (plain[at] - none[at]), 5);
    expect(loud[0]).toBe(plain[0]);
  });

  test("a long prompt has a chunk more, and the negative one is filled up to it", async () => {
    const prompt = Array.from({ length: 40 }, () => "bird sea house").join(", ");
    const { positive, negative } = await conditioned({ prompt, weighting: "a1111" });
    expect(positive.tokens).toBeGreaterThan(77);
    expect(negative?.tokens).toBe(positive.tokens);
    expect((await conditioned({ prompt })).positive.tokens).toBe(77);
  });

  test("what cannot be read is an error of its field", async () => {
    for (const field of ["prompt", "negativePrompt"]) {
      const request = { [field]: "a bird AND a tree", weighting: "a1111" };
      await expect(conditioned(request)).rejects.toMatchObject({ code: "invalid_request", field });
    }
  });

  test("a keyword has its weight as a whole, in what it becomes", async () => {
    const [short, long] = [
      (await conditioned({ prompt: "a tao++ sea", weighting: "compel" })).positive.hidden,
      (await conditioned({ prompt: "a (tau symbol)++ sea", weighting: "compel" })).positive.hidden,
    ];
    expect(short).toEqual(long);
  });

  test("an encoder without so many layers refuses to leave them out", async () => {
    await expect(conditioned({ clipSkip: 30 })).rejects.toMatchObject({
      ...{ code: "unsupported_setting", field: "clipSkip" },
    });
  });
});
