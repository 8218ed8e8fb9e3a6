import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadT5Tokenizer } from "../../../core/prompt/t5_tokenizer.ts";
import { openModel } from "../../../server/models/mod.ts";
import { golden } from "../../fixtures/golden_models.ts";
import { memoryFiles } from "../../fixtures/memory_files.ts";

/** By Hugging Face's tokenizers of the same file, with sentencepiece's whole map of characters. */
const recorded: readonly { readonly text: string; readonly ids: readonly number[] }[] = JSON.parse(
  readFileSync(golden("pipelines/t5_tokens.json"), "utf8"),
);
const [PAD, END] = [0, 1];
const files = await openModel(golden("pipelines/pipe-flux-schnell"));

test.each(recorded)("$text", async ({ text, ids }) => {
  const tokenize = await loadT5Tokenizer(files, "tokenizer_2", 64);
  const padded = [...ids, ...Array<number>(64 - ids.length).fill(PAD)];
  expect(tokenize(text)).toEqual({ count: ids.length - 1, ids: padded, cut: "" });
});

test("what does not fit is cut before the end token, and told", async () => {
  const tokenize = await loadT5Tokenizer(files, "tokenizer_2", 8);
  const [{ text, ids }] = recorded;
  const prompt = tokenize(text);
  expect(prompt.ids).toEqual([...ids.slice(0, 7), END]);
  expect(prompt.count).toBe(ids.length - 1);
  expect(text.endsWith("T5 words")).toBe(true);
  expect(prompt.cut).toContain("naïve");
});

test("a vocabulary without the end token is refused by its folder's name", async () => {
  const path = "tokenizer_2/tokenizer.json";
  const { model, ...definition } = JSON.parse(await files.text(path));
  const vocab = model.vocab.filter(([piece]: [string]) => piece !== "</s>");
  const broken = JSON.stringify({ ...definition, added_tokens: [], model: { ...model, vocab } });
  await expect(loadT5Tokenizer(memoryFiles({ [path]: broken }), "tokenizer_2", 8)).rejects
    .toMatchObject({
      code: "model_invalid",
      message: "Cannot use tokenizer_2: Cannot tokenize: </s> is not in the vocabulary",
    });
});
