import { describe, expect, test } from "vitest";
import {
  drawPrompt,
  drawPromptOf,
  promptAt,
  promptIndex,
  PROMPTS,
  wordsOf,
} from "../../../core/content/mod.ts";
import { FORMS, LISTS } from "../../../core/content/prompt_bank/forms.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

/** A generator that anybody can repeat (Lehmer). */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => (state = state * 48271 % 2147483647) / 2147483647;
}

test("has two billion prompts and more", () => {
  expect(PROMPTS).toBeGreaterThan(2_000_000_000n);
});

describe("number and prompt are one to one", () => {
  test("at the ends of every hundredth of the bank", () => {
    for (let k = 0n; k < 100n; k++) {
      for (const index of [k * PROMPTS / 100n, (k + 1n) * PROMPTS / 100n - 1n]) {
        expect(promptIndex(promptAt(index))).toBe(index);
      }
    }
  });

  test("no list says a thing twice, or with a comma, which parts a prompt", () => {
    for (const [name, list] of Object.entries<readonly string[]>(LISTS)) {
      expect(new Set(list).size, name).toBe(list.length);
      expect(list.filter((entry) => /,|^an? (?!mother|old couple)|^\s|\s$/.test(entry)), name)
        .toEqual([]);
    }
  });

  test("no two forms are written alike", () => {
    expect(new Set(FORMS).size).toBe(FORMS.length);
  });
});

test("a number outside, or a prompt of others, is none of it", () => {
  for (const index of [-1n, PROMPTS]) {
    expect(thrownBy(() => promptAt(index))).toMatchObject({ code: "invalid_request" });
  }
  expect(promptIndex("a prompt that nobody put into the bank")).toBeUndefined();
  expect(promptIndex(`${promptAt(5n)}, and more`)).toBeUndefined();
});

describe("a draw", () => {
  test("comes from everywhere in the bank, each eighth alike", () => {
    const random = lehmer(5);
    const eighths = new Array(8).fill(0);
    for (let k = 0; k < 800; k++) {
      eighths[Number(8n * (promptIndex(drawPrompt(random)) ?? -1n) / PROMPTS)]++;
    }
    // Of 800 in eight parts 100 each; four standard deviations are 37.
    for (const count of eighths) expect(Math.abs(count - 100)).toBeLessThan(38);
  });

  test("follows a length, and is of the bank", () => {
    const random = lehmer(9);
    const mean = (words: number) => {
      const drawn = Array.from({ length: 60 }, () => drawPromptOf(words, random));
      for (const prompt of drawn) expect(promptIndex(prompt), prompt).toBeDefined();
      return drawn.reduce((sum, prompt) => sum + wordsOf(prompt), 0) / drawn.length;
    };
    const [short, long] = [mean(5), mean(11)];
    expect(short).toBeLessThan(6.5);
    expect(long).toBeGreaterThan(9.5);
  });

  test("asks for several subjects, for styles, and for what shall not be there", () => {
    const random = lehmer(3);
    const drawn = Array.from({ length: 600 }, () => drawPromptOf(8, random));
    const share = (list: readonly string[]) =>
      drawn.filter((prompt) => list.some((entry) => prompt.includes(entry))).length / drawn.length;
    expect(share(LISTS.style)).toBeGreaterThan(0.2);
    expect(share(LISTS.without)).toBeGreaterThan(0.005);
    expect(share(LISTS.together)).toBeGreaterThan(0.02);
  });
});
