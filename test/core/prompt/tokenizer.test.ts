import { beforeAll, expect, test } from "vitest";
import { loadTokenizer, type PromptTokenizer } from "../../../core/prompt/tokenizer.ts";
import { memoryFiles } from "../../fixtures/memory_files.ts";

const words = ["a", "t", "u", "!", "'", "s", "é", "4", "k"];
const vocab: Record<string, number> = {};
for (const word of ["!", ...words.filter((word) => word !== "!")]) {
  for (const byte of toBytes(word)) vocab[byte] ??= Object.keys(vocab).length;
}
for (const piece of Object.keys(vocab)) vocab[`${piece}</w>`] = Object.keys(vocab).length;
for (const merged of ["ta", "tau</w>", "'s</w>", "<|startoftext|>", "<|endoftext|>"]) {
  vocab[merged] = Object.keys(vocab).length;
}
const merges = "#version: 0.2\nt a\nta u</w>\n' s</w>\n";

/** GPT-2's stand-ins for the UTF-8 bytes of é (0xc3 0xa9) are Ã and ©; ASCII stands for itself. */
function toBytes(word: string): string[] {
  return word === "é" ? ["Ã", "©"] : [word];
}

const files = (extra: Record<string, string> = {}) =>
  memoryFiles({
    "tokenizer/vocab.json": JSON.stringify(vocab),
    "tokenizer/merges.txt": merges,
    ...extra,
  });

let tokenize: PromptTokenizer;
beforeAll(async () => {
  tokenize = await loadTokenizer(files(), "tokenizer");
});

const pieces = (prompt: string, count: number) => {
  const names = Object.fromEntries(Object.entries(vocab).map(([name, id]) => [id, name]));
  return tokenize(prompt).ids.slice(1, 1 + count).map((id) => names[id]);
};

test("a prompt is start, content, end, and padding up to 77", () => {
  const { ids, cut } = tokenize("tau");
  expect(ids.slice(0, 4)).toEqual([
    vocab["<|startoftext|>"],
    vocab["tau</w>"],
    vocab["<|endoftext|>"],
    vocab["<|endoftext|>"],
  ]);
  expect(ids).toHaveLength(77);
  expect(cut).toBe("");
});

test("an empty prompt is start, end and padding", () => {
  expect(new Set(tokenize("").ids.slice(1))).toEqual(new Set([vocab["<|endoftext|>"]]));
});

// Expected pieces follow OpenAI's CLIP simple_tokenizer: its pattern, lower case, bytes, `</w>`.
test.each([
  ["TAU  \n tau", ["tau</w>", "tau</w>"]],
  ["tau!!", ["tau</w>", "!", "!</w>"]],
  ["a's", ["a</w>", "'s</w>"]],
  ["44k", ["4</w>", "4</w>", "k</w>"]],
  ["É", ["Ã", "©</w>"]],
])("%j becomes %j", (prompt, expected) => {
  expect(pieces(prompt, expected.length)).toEqual(expected);
});

test("what does not fit into 77 tokens is cut and reported as text", () => {
  const { ids, cut } = tokenize(`${"tau ".repeat(75)}a a`);
  expect(ids.at(-1)).toBe(vocab["<|endoftext|>"]);
  expect(ids.at(-2)).toBe(vocab["tau</w>"]);
  expect(cut).toBe("a a");
});

test.each([
  ["a string", `{"pad_token":"!"}`],
  ["an object", `{"pad_token":{"content":"!","lstrip":false}}`],
])("the pad token of special_tokens_map.json is used, written as %s", async (_, map) => {
  const padded = await loadTokenizer(
    files({ "tokenizer/special_tokens_map.json": map }),
    "tokenizer",
  );
  expect(padded("").ids.at(-1)).toBe(vocab["!"]);
});

const TOKENS = '{"49407":{"content":"<|endoftext|>"}}';

test.each<[string, string | undefined, string | undefined, string]>([
  ["tokenizer_config.json, where there is no map", `{"pad_token":"!"}`, undefined, "!"],
  ["the map before an older config", `{"pad_token":"!"}`, `{"pad_token":"a"}`, "a"],
  [
    "a config with its added tokens before the map",
    `{"pad_token":{"content":"!"},"added_tokens_decoder":${TOKENS}}`,
    `{"pad_token":"a"}`,
    "!",
  ],
  ["the config where the map has null", `{"pad_token":"!"}`, `{"pad_token":null}`, "!"],
  ["the config where the map names none", `{"pad_token":"!"}`, `{"bos_token":"a"}`, "!"],
])("the pad token is that of %s", async (_, config, map, expected) => {
  const padded = await loadTokenizer(
    files({
      ...(config && { "tokenizer/tokenizer_config.json": config }),
      ...(map && { "tokenizer/special_tokens_map.json": map }),
    }),
    "tokenizer",
  );
  expect(padded("").ids.at(-1)).toBe(vocab[expected]);
  expect(padded.notices).toEqual([]);
});

test("a tokenizer that names no pad token takes CLIP's default and says so", async () => {
  const padded = await loadTokenizer(files({}), "tokenizer");
  expect(padded("").ids.at(-1)).toBe(vocab["<|endoftext|>"]);
  expect(padded.notices).toEqual([expect.stringMatching(/^tokenizer of .* no padding token/)]);
  const broken = files({ "tokenizer/tokenizer_config.json": `{"pad_token":7}` });
  await expect(loadTokenizer(broken, "tokenizer")).rejects.toThrow(/tokenizer_config.*pad_token/);
});

test.each(["merges.txt", "vocab.json"])(
  "a tokenizer without %s is refused by name",
  async (name) => {
    const all = { "tokenizer/vocab.json": JSON.stringify(vocab), "tokenizer/merges.txt": merges };
    const rest = Object.fromEntries(Object.entries(all).filter(([path]) => !path.endsWith(name)));
    const loading = loadTokenizer(memoryFiles(rest), "tokenizer");
    await expect(loading).rejects.toThrow(`tokenizer/${name}`);
    await expect(loading).rejects.toMatchObject({ code: "model_invalid" });
  },
);
