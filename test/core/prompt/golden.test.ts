import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModel, type Model, type TextEmbedding } from "../../../core/inference/mod.ts";
import { chunksOf } from "../../../core/prompt/chunks.ts";
import { PromptConditioner } from "../../../core/prompt/mod.ts";
import { loadTokenizer, type PromptTokenizer } from "../../../core/prompt/tokenizer.ts";
import { weightedText } from "../../../core/prompt/weighted_text.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openModel } from "../../../server/models/mod.ts";

/** Of compel itself, and of A1111's rules in another language; see test/golden/README.md. */
interface Golden {
  readonly a1111: Embeddings & {
    /** Without start, end and padding; a run of weights is one of them, and how often. */
    readonly chunks: readonly {
      readonly prompt: string;
      readonly chunks: readonly { readonly ids: string; readonly weights: [number, number][] }[];
    }[];
  };
  readonly compel: Embeddings & {
    readonly fragments: readonly {
      readonly prompt: string;
      readonly fragments: readonly (readonly [string, number])[];
    }[];
  };
}

interface Embeddings {
  readonly sd1: readonly Embedded[];
  readonly sdxl: readonly Embedded[];
}

/** f32 in base64, of each chunk the first 12 and the last 4 tokens. */
interface Embedded {
  readonly prompt: string;
  readonly hidden: string;
  readonly pooled?: string;
}

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");
const golden: Golden = JSON.parse(readFileSync(join(GOLDEN, "prompt_weights.json"), "utf8"));
const FIRST = 12;
const LAST = 4;
/** A share of the largest magnitude, as for the networks themselves. */
const TOLERANCE = 2e-5;

describe("a1111 in chunks", () => {
  let tokenizer: PromptTokenizer;
  beforeAll(async () => {
    const files = await openModel(join(GOLDEN, "pipelines/pipe-sd1"));
    tokenizer = await loadTokenizer(files, "tokenizer");
  });

  test.each(golden.a1111.chunks)("$prompt", ({ prompt, chunks }) => {
    const read = chunksOf(weightedText(prompt, "a1111"), tokenizer);
    const own = read.map(({ ids, weights }) => {
      const length = ids.indexOf(tokenizer.end) - 1;
      return { ids: ids.slice(1, 1 + length), weights: weights.slice(1, 1 + length) };
    });
    expect(own.map(({ ids }) => ids.join(" "))).toEqual(chunks.map(({ ids }) => ids));
    for (const [k, { weights }] of chunks.entries()) {
      const expected = weights.flatMap(([weight, times]) => Array<number>(times).fill(weight));
      expect(own[k].weights).toHaveLength(expected.length);
      expected.forEach((weight, i) => expect(own[k].weights[i]).toBeCloseTo(weight, 12));
    }
  });
});

test.each(golden.compel.fragments)("compel reads $prompt", ({ prompt, fragments }) => {
  const [read] = weightedText(prompt, "compel");
  // An empty prompt is one fragment without text there.
  const own = read.length > 0 ? read : [{ text: "", weight: 1 }];
  expect(own.map(({ text }) => text)).toEqual(fragments.map(([text]) => text));
  for (const [k, [, weight]] of fragments.entries()) {
    expect(own[k].weight).toBeCloseTo(weight, 12);
  }
});

describe.each(["sd1", "sdxl"] as const)("%s", (family) => {
  let model: Model;
  let conditioner: PromptConditioner;
  beforeAll(async () => {
    model = await loadModel(
      await openModel(join(GOLDEN, `pipelines/pipe-${family}`)),
      await cpuRuntime(),
    );
    conditioner = await PromptConditioner.load(model);
    return () => model[Symbol.asyncDispose]();
  });

  const cases = (["a1111", "compel"] as const).flatMap((weighting) =>
    golden[weighting][family].map((embedded) => ({ weighting, ...embedded }))
  );
  test.each(cases)("$weighting embeds $prompt", async ({ weighting, prompt, hidden, pooled }) => {
    const defaults = { width: 64, height: 64, steps: 1, guidanceScale: 1, seed: 0n };
    const { positive } = await conditioner.condition(
      decodeRequest({ prompt, weighting }, defaults),
    );
    expectClose(ends(positive), floatsOf(hidden));
    if (pooled) expectClose(positive.pooled ?? new Float32Array(), floatsOf(pooled));
  });
});

function ends({ hidden, tokens }: TextEmbedding): Float32Array {
  const width = hidden.length / tokens;
  return hidden.filter((_, i) => {
    const token = Math.floor(i / width) % 77;
    return token < FIRST || token >= 77 - LAST;
  });
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual).toHaveLength(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const off = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
  expect(off / largest).toBeLessThanOrEqual(TOLERANCE);
}

function floatsOf(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).buffer);
}
